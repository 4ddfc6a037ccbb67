/* When a process comes to its end without exit(): its first thread has ended, and so has each of the program's others, as in
 * the child of a fork that a thread made, or after pthread_exit in main. The exporters must then end too, or the process
 * would not. Exporters only; reads /proc. */
#ifndef RS_SDK_PROCESS_END_H
#define RS_SDK_PROCESS_END_H

#include <stdbool.h>

#define RS_EXPORTER_NAME "respan" /* of each exporter's thread, by which they know each other */

bool rs_process_is_over(void);

#endif
