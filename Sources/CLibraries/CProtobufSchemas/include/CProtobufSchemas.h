#pragma once
#include <stddef.h>
#include <stdint.h>

// Protobuf schemas as libprotobuf's own compiler reads them. Text that is handed out belongs to the schema. Every index is
// checked: what is not there is NULL, 0 or -1.
#ifdef __cplusplus
extern "C" {
#endif

typedef struct tidegate_protobuf tidegate_protobuf;

typedef struct {
    const char *name;
    int32_t number;
    // FieldDescriptor::Type: 1 double ... 18 sint64.
    int32_t type;
    // 0 single, 1 repeated, 2 map, 3 required.
    int32_t shape;
    // Of a message or group, else -1.
    int32_t message;
    int32_t value_count;
    int32_t tag_count;
} tidegate_protobuf_field;

// `names` and `texts` are files as imports name them; `root` is one of them. NULL with a message in `error` on failure.
tidegate_protobuf *tidegate_protobuf_parse(const char *const *names, const char *const *texts, const size_t *lengths,
                                           size_t count, const char *root, char *error, size_t error_size);
// A FileDescriptorSet; the last file is the root.
tidegate_protobuf *tidegate_protobuf_load(const void *bytes, size_t length, char *error, size_t error_size);
void tidegate_protobuf_free(tidegate_protobuf *schema);

int32_t tidegate_protobuf_message_count(const tidegate_protobuf *schema);
const char *tidegate_protobuf_message_name(const tidegate_protobuf *schema, int32_t message);
// The message around it; -1 for the root file's own, -2 for another file's.
int32_t tidegate_protobuf_message_parent(const tidegate_protobuf *schema, int32_t message);
int32_t tidegate_protobuf_message_tag_count(const tidegate_protobuf *schema, int32_t message);
const char *tidegate_protobuf_message_tag(const tidegate_protobuf *schema, int32_t message, int32_t tag);
int32_t tidegate_protobuf_field_count(const tidegate_protobuf *schema, int32_t message);
tidegate_protobuf_field tidegate_protobuf_field_at(const tidegate_protobuf *schema, int32_t message, int32_t field);
const char *tidegate_protobuf_field_tag(const tidegate_protobuf *schema, int32_t message, int32_t field, int32_t tag);
// Values of a field's enumeration, in the order of the schema.
const char *tidegate_protobuf_value_name(const tidegate_protobuf *schema, int32_t message, int32_t field, int32_t value);
int32_t tidegate_protobuf_value_number(const tidegate_protobuf *schema, int32_t message, int32_t field, int32_t value);

#ifdef __cplusplus
}
#endif
