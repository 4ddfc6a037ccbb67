/* XXH3 (xxhash.com), in line: hashes of keys and checks of what is on disk. */
#ifndef RS_BASE_XXH_H
#define RS_BASE_XXH_H

/* Its default reads a struct as integers, which newer compilers take for something else. */
#define XXH_FORCE_MEMORY_ACCESS 0
#define XXH_INLINE_ALL
#include <xxhash.h>

#endif
