/* All dialects, best first: where two say the same of a span, the earlier is heard. */
#include "normalize/dialect.h"

const rs_dialect *const rs_dialects[RS_DIALECTS] = {
    &rs_dialect_respan,   &rs_dialect_openllmetry, &rs_dialect_genai,
    &rs_dialect_langfuse, &rs_dialect_vercel,      &rs_dialect_logfire,
    &rs_dialect_openlit,  &rs_dialect_mlflow,      &rs_dialect_openinference,
};
