#pragma once
#include <avro.h>
// avro_typeof is a macro, and the handle a pointer to a structure: what Swift holds is the pointer.
typedef const void *shim_avro_schema;
static inline shim_avro_schema shim_avro_parse(const char *text, size_t length) {
    avro_schema_t schema = NULL;
    return avro_schema_from_json_length(text, length, &schema) == 0 ? schema : NULL;
}
static inline void shim_avro_free(shim_avro_schema schema) { avro_schema_decref((avro_schema_t)schema); }
static inline int shim_avro_type(shim_avro_schema schema) { return (int)((avro_schema_t)schema)->type; }
static inline size_t shim_avro_record_size(shim_avro_schema schema) { return avro_schema_record_size((avro_schema_t)schema); }
static inline const char *shim_avro_field_name(shim_avro_schema schema, int index) {
    return avro_schema_record_field_name((avro_schema_t)schema, index);
}
static inline shim_avro_schema shim_avro_field(shim_avro_schema schema, int index) {
    return avro_schema_record_field_get_by_index((avro_schema_t)schema, index);
}
static inline size_t shim_avro_union_size(shim_avro_schema schema) { return avro_schema_union_size((avro_schema_t)schema); }
static inline shim_avro_schema shim_avro_branch(shim_avro_schema schema, int index) {
    return avro_schema_union_branch((avro_schema_t)schema, index);
}
static inline shim_avro_schema shim_avro_items(shim_avro_schema schema) { return avro_schema_array_items((avro_schema_t)schema); }
static inline shim_avro_schema shim_avro_values(shim_avro_schema schema) { return avro_schema_map_values((avro_schema_t)schema); }
static inline int64_t shim_avro_fixed_size(shim_avro_schema schema) { return avro_schema_fixed_size((avro_schema_t)schema); }
static inline int shim_avro_symbol_count(shim_avro_schema schema) { return avro_schema_enum_number_of_symbols((avro_schema_t)schema); }
static inline const char *shim_avro_symbol(shim_avro_schema schema, int index) {
    return avro_schema_enum_get((avro_schema_t)schema, index);
}
static inline shim_avro_schema shim_avro_target(shim_avro_schema schema) { return avro_schema_link_target((avro_schema_t)schema); }
static inline const char *shim_avro_name(shim_avro_schema schema) { return avro_schema_name((avro_schema_t)schema); }
static inline const char *shim_avro_namespace(shim_avro_schema schema) { return avro_schema_namespace((avro_schema_t)schema); }
