/* Prints what a program that was compiled against respan.h relies on: sizes, places of fields, values of constants. */
#include <respan.h>
#include <stdio.h>

#define SIZE(type)         printf("sizeof %s %zu\n", #type, sizeof(type))
#define FIELD(type, field) printf("offsetof %s.%s %zu\n", #type, #field, offsetof(type, field))
#define VALUE(name)        printf("value %s %d\n", #name, (int)name)

typedef struct respan_attribute attribute;

static void structs(void) {
    SIZE(respan_error);
    FIELD(respan_error, message);
    SIZE(respan_header);
    FIELD(respan_header, value);
    SIZE(respan_config);
    FIELD(respan_config, base_url);
    FIELD(respan_config, api_key);
    FIELD(respan_config, app_name);
    FIELD(respan_config, environment);
    FIELD(respan_config, resource_attributes);
    FIELD(respan_config, resource_attribute_count);
    FIELD(respan_config, headers);
    FIELD(respan_config, header_count);
    FIELD(respan_config, scope_name);
    FIELD(respan_config, scope_version);
    FIELD(respan_config, ring_bytes);
    FIELD(respan_config, batch_spans);
    FIELD(respan_config, batch_bytes);
    FIELD(respan_config, batch_interval_ms);
    FIELD(respan_config, request_timeout_ms);
    FIELD(respan_config, max_content_bytes);
    FIELD(respan_config, quiet);
    FIELD(respan_config, spool_bytes);
    FIELD(respan_config, keep_secrets);
    SIZE(respan_stats);
    FIELD(respan_stats, started);
    FIELD(respan_stats, ended);
    FIELD(respan_stats, acknowledged);
    FIELD(respan_stats, rejected);
    FIELD(respan_stats, dropped);
    FIELD(respan_stats, pending);
    FIELD(respan_stats, last_error);
    FIELD(respan_stats, kept);
    SIZE(respan_span_context);
    FIELD(respan_span_context, span_id);
    SIZE(respan_text);
    FIELD(respan_text, n);
    SIZE(attribute);
    FIELD(attribute, type);
    FIELD(attribute, value);
    FIELD(attribute, value.strings.count);
}

static void values(void) {
    VALUE(RESPAN_OK);
    VALUE(RESPAN_ERR_MEMORY);
    VALUE(RESPAN_ERR_INVALID);
    VALUE(RESPAN_ERR_SYSTEM);
    VALUE(RESPAN_ERR_REFUSED);
    VALUE(RESPAN_ERR_TIMEOUT);
    VALUE(RESPAN_KIND_INTERNAL);
    VALUE(RESPAN_KIND_SERVER);
    VALUE(RESPAN_KIND_CLIENT);
    VALUE(RESPAN_KIND_PRODUCER);
    VALUE(RESPAN_KIND_CONSUMER);
    VALUE(RESPAN_STATUS_UNSET);
    VALUE(RESPAN_STATUS_OK);
    VALUE(RESPAN_STATUS_ERROR);
    VALUE(RESPAN_TYPE_STRING);
    VALUE(RESPAN_TYPE_BOOL);
    VALUE(RESPAN_TYPE_INT);
    VALUE(RESPAN_TYPE_DOUBLE);
    VALUE(RESPAN_TYPE_STRING_ARRAY);
    VALUE(RESPAN_TYPE_BOOL_ARRAY);
    VALUE(RESPAN_TYPE_INT_ARRAY);
    VALUE(RESPAN_TYPE_DOUBLE_ARRAY);
}

int main(void) {
    structs();
    values();
    return 0;
}
