#include "CProtobufSchemas.h"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>

#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace pb = google::protobuf;

namespace {

// What schemas import for their tags without bringing it along.
const char *const kMeta = R"(syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Rule { string name = 1; string doc = 2; string expr = 3; string sql = 4; }
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
  repeated Rule rules = 4;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
)";
const char *const kDecimal = R"(syntax = "proto3";
package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }
)";

constexpr int kDepthLimit = 64;
constexpr size_t kMessageLimit = 16384;

// The parser descends with each brace: no more of them than this, comments and strings aside.
bool is_shallow(const char *text, size_t length) {
    int depth = 0;
    for (size_t at = 0; at < length; at++) {
        char byte = text[at];
        if (byte == '"' || byte == '\'') {
            for (at++; at < length && text[at] != byte && text[at] != '\n'; at++)
                if (text[at] == '\\') at++;
        } else if (byte == '/' && at + 1 < length && text[at + 1] == '/') {
            while (at < length && text[at] != '\n') at++;
        } else if (byte == '/' && at + 1 < length && text[at + 1] == '*') {
            for (at += 2; at + 1 < length && !(text[at] == '*' && text[at + 1] == '/'); at++) {
            }
            at++;
        } else if (byte == '{' || byte == '<' || byte == '[' || byte == '(') {
            if (++depth > kDepthLimit) return false;
        } else if ((byte == '}' || byte == '>' || byte == ']' || byte == ')') && depth > 0) {
            depth--;
        }
    }
    return true;
}

class MemoryTree : public pb::compiler::SourceTree {
public:
    std::map<std::string, std::string> files;
    pb::io::ZeroCopyInputStream *Open(const std::string &name) override {
        auto found = files.find(name);
        if (found == files.end()) return nullptr;
        return new pb::io::ArrayInputStream(found->second.data(), static_cast<int>(found->second.size()));
    }
    std::string GetLastErrorMessage() override { return "no such file among the schema and its references"; }
};

class FirstError : public pb::compiler::MultiFileErrorCollector, public pb::DescriptorPool::ErrorCollector {
public:
    std::string text;
    void AddError(const std::string &file, int line, int, const std::string &message) override {
        if (text.empty()) text = file + ":" + std::to_string(line + 1) + ": " + message;
    }
    void AddError(const std::string &file, const std::string &element, const pb::Message *,
                  pb::DescriptorPool::ErrorCollector::ErrorLocation, const std::string &message) override {
        if (text.empty()) text = file + ": " + element + ": " + message;
    }
    void AddWarning(const std::string &, int, int, const std::string &) override {}
    void AddWarning(const std::string &, const std::string &, const pb::Message *,
                    pb::DescriptorPool::ErrorCollector::ErrorLocation, const std::string &) override {}
};

// Tags of options: the extension's field 3. It is no extension of this process's, so that it stays an unknown field.
std::vector<std::string> tags_of(const pb::DescriptorPool &pool, const char *extension, const pb::Message &options) {
    std::vector<std::string> tags;
    const pb::FieldDescriptor *field = pool.FindExtensionByName(extension);
    if (field == nullptr) return tags;
    const pb::UnknownFieldSet &unknown = options.GetReflection()->GetUnknownFields(options);
    for (int index = 0; index < unknown.field_count(); index++) {
        const pb::UnknownField &outer = unknown.field(index);
        if (outer.number() != field->number() || outer.type() != pb::UnknownField::TYPE_LENGTH_DELIMITED) continue;
        pb::UnknownFieldSet meta;
        if (!meta.ParseFromString(outer.length_delimited())) continue;
        for (int inner = 0; inner < meta.field_count(); inner++) {
            const pb::UnknownField &tag = meta.field(inner);
            if (tag.number() == 3 && tag.type() == pb::UnknownField::TYPE_LENGTH_DELIMITED)
                tags.push_back(tag.length_delimited());
        }
    }
    return tags;
}

}  // namespace

struct tidegate_protobuf {
    struct Field {
        const pb::FieldDescriptor *descriptor;
        std::string name;
        std::vector<std::string> tags;
    };
    struct Message {
        const pb::Descriptor *descriptor;
        int32_t parent;
        std::vector<Field> fields;
        std::vector<std::string> tags;
    };
    MemoryTree tree;
    FirstError error;
    pb::SimpleDescriptorDatabase set;
    std::unique_ptr<pb::DescriptorPoolDatabase> known;
    std::unique_ptr<pb::compiler::SourceTreeDescriptorDatabase> sources;
    std::unique_ptr<pb::DescriptorPool> pool;
    std::vector<Message> messages;
    std::unordered_map<const pb::Descriptor *, int32_t> indexes;

    bool add(const pb::Descriptor *descriptor, int32_t parent) {
        if (messages.size() >= kMessageLimit) return false;
        auto index = static_cast<int32_t>(messages.size());
        indexes[descriptor] = index;
        messages.push_back({descriptor, parent, {}, tags_of(*pool, "confluent.message_meta", descriptor->options())});
        for (int at = 0; at < descriptor->nested_type_count(); at++)
            if (!add(descriptor->nested_type(at), index)) return false;
        return true;
    }
    bool add(const pb::FileDescriptor *file, bool is_root, std::set<const pb::FileDescriptor *> &seen) {
        if (!seen.insert(file).second) return true;
        for (int at = 0; at < file->message_type_count(); at++)
            if (!add(file->message_type(at), is_root ? -1 : -2)) return false;
        for (int at = 0; at < file->dependency_count(); at++)
            if (!add(file->dependency(at), false, seen)) return false;
        return true;
    }
    bool fill(const pb::FileDescriptor *root) {
        std::set<const pb::FileDescriptor *> seen;
        if (!add(root, true, seen)) return false;
        for (Message &message : messages) {
            auto take = [&](const pb::FieldDescriptor *field) {
                message.fields.push_back({field, field->is_extension() ? field->full_name() : field->name(),
                                          tags_of(*pool, "confluent.field_meta", field->options())});
            };
            for (int at = 0; at < message.descriptor->field_count(); at++) take(message.descriptor->field(at));
            if (message.descriptor->extension_range_count() == 0) continue;
            std::vector<const pb::FieldDescriptor *> extensions;
            pool->FindAllExtensions(message.descriptor, &extensions);
            for (const pb::FieldDescriptor *extension : extensions)
                // One of a file that the root does not import brings a message that nobody knows here.
                if (extension->message_type() == nullptr || indexes.count(extension->message_type())) take(extension);
        }
        return true;
    }
    const Message *message(int32_t index) const {
        return index >= 0 && static_cast<size_t>(index) < messages.size() ? &messages[index] : nullptr;
    }
    const Field *field(int32_t owner, int32_t index) const {
        const Message *found = message(owner);
        return found && index >= 0 && static_cast<size_t>(index) < found->fields.size() ? &found->fields[index]
                                                                                         : nullptr;
    }
    const pb::EnumValueDescriptor *value(int32_t owner, int32_t index, int32_t value) const {
        const Field *found = field(owner, index);
        const pb::EnumDescriptor *type = found ? found->descriptor->enum_type() : nullptr;
        return type && value >= 0 && value < type->value_count() ? type->value(value) : nullptr;
    }
};

namespace {

// libprotobuf writes warnings to the standard error of whoever uses it.
const bool kIsQuiet = [] {
    pb::SetLogHandler(nullptr);
    return true;
}();

tidegate_protobuf *failed(const std::string &text, char *error, size_t size) {
    if (size > 0 && kIsQuiet) std::snprintf(error, size, "%s", text.c_str());
    return nullptr;
}

// The schema with the messages of its root file, once its pool is there.
tidegate_protobuf *finished(std::unique_ptr<tidegate_protobuf> schema, const std::string &root, char *error,
                            size_t size) {
    const pb::FileDescriptor *file = schema->pool->FindFileByName(root);
    if (file == nullptr)
        return failed(schema->error.text.empty() ? "it cannot be read" : schema->error.text, error, size);
    if (!schema->fill(file)) return failed("too many messages", error, size);
    return schema.release();
}

}  // namespace

extern "C" {

tidegate_protobuf *tidegate_protobuf_parse(const char *const *names, const char *const *texts, const size_t *lengths,
                                           size_t count, const char *root, char *error, size_t error_size) try {
    auto schema = std::make_unique<tidegate_protobuf>();
    schema->tree.files["confluent/meta.proto"] = kMeta;
    schema->tree.files["confluent/type/decimal.proto"] = kDecimal;
    schema->tree.files["confluent/types/decimal.proto"] = kDecimal;
    for (size_t at = 0; at < count; at++) {
        if (!is_shallow(texts[at], lengths[at])) return failed("nested too deeply", error, error_size);
        // libprotobuf brings its own.
        if (std::string(names[at]).rfind("google/protobuf/", 0) == 0) continue;
        schema->tree.files[names[at]] = std::string(texts[at], lengths[at]);
    }
    schema->known = std::make_unique<pb::DescriptorPoolDatabase>(*pb::DescriptorPool::generated_pool());
    schema->sources =
        std::make_unique<pb::compiler::SourceTreeDescriptorDatabase>(&schema->tree, schema->known.get());
    schema->sources->RecordErrorsTo(&schema->error);
    schema->pool = std::make_unique<pb::DescriptorPool>(schema->sources.get(),
                                                        schema->sources->GetValidationErrorCollector());
    return finished(std::move(schema), root, error, error_size);
} catch (const std::exception &) {
    return failed("it cannot be read", error, error_size);
}

tidegate_protobuf *tidegate_protobuf_load(const void *bytes, size_t length, char *error, size_t error_size) try {
    auto schema = std::make_unique<tidegate_protobuf>();
    pb::FileDescriptorSet set;
    if (length > (64u << 20) || !set.ParseFromArray(bytes, static_cast<int>(length)) || set.file_size() == 0)
        return failed("it is no set of descriptors", error, error_size);
    for (const pb::FileDescriptorProto &file : set.file())
        if (!schema->set.Add(file)) return failed("two of its files say the same", error, error_size);
    schema->pool = std::make_unique<pb::DescriptorPool>(&schema->set, &schema->error);
    return finished(std::move(schema), set.file(set.file_size() - 1).name(), error, error_size);
} catch (const std::exception &) {
    return failed("it cannot be read", error, error_size);
}

void tidegate_protobuf_free(tidegate_protobuf *schema) { delete schema; }

int32_t tidegate_protobuf_message_count(const tidegate_protobuf *schema) {
    return static_cast<int32_t>(schema->messages.size());
}

const char *tidegate_protobuf_message_name(const tidegate_protobuf *schema, int32_t message) {
    auto *found = schema->message(message);
    return found ? found->descriptor->full_name().c_str() : nullptr;
}

int32_t tidegate_protobuf_message_parent(const tidegate_protobuf *schema, int32_t message) {
    auto *found = schema->message(message);
    return found ? found->parent : -2;
}

int32_t tidegate_protobuf_message_tag_count(const tidegate_protobuf *schema, int32_t message) {
    auto *found = schema->message(message);
    return found ? static_cast<int32_t>(found->tags.size()) : 0;
}

const char *tidegate_protobuf_message_tag(const tidegate_protobuf *schema, int32_t message, int32_t tag) {
    auto *found = schema->message(message);
    return found && tag >= 0 && static_cast<size_t>(tag) < found->tags.size() ? found->tags[tag].c_str() : nullptr;
}

int32_t tidegate_protobuf_field_count(const tidegate_protobuf *schema, int32_t message) {
    auto *found = schema->message(message);
    return found ? static_cast<int32_t>(found->fields.size()) : 0;
}

tidegate_protobuf_field tidegate_protobuf_field_at(const tidegate_protobuf *schema, int32_t message, int32_t field) {
    auto *found = schema->field(message, field);
    if (found == nullptr) return {nullptr, 0, 0, 0, -1, 0, 0};
    const pb::FieldDescriptor *descriptor = found->descriptor;
    int32_t shape = descriptor->is_map() ? 2 : descriptor->is_repeated() ? 1 : descriptor->is_required() ? 3 : 0;
    int32_t inner = -1;
    if (descriptor->message_type() != nullptr) {
        auto index = schema->indexes.find(descriptor->message_type());
        if (index != schema->indexes.end()) inner = index->second;
    }
    int32_t values = descriptor->enum_type() ? descriptor->enum_type()->value_count() : 0;
    return {found->name.c_str(), descriptor->number(), static_cast<int32_t>(descriptor->type()), shape, inner, values,
            static_cast<int32_t>(found->tags.size())};
}

const char *tidegate_protobuf_field_tag(const tidegate_protobuf *schema, int32_t message, int32_t field, int32_t tag) {
    auto *found = schema->field(message, field);
    return found && tag >= 0 && static_cast<size_t>(tag) < found->tags.size() ? found->tags[tag].c_str() : nullptr;
}

const char *tidegate_protobuf_value_name(const tidegate_protobuf *schema, int32_t message, int32_t field,
                                         int32_t value) {
    auto *found = schema->value(message, field, value);
    return found ? found->name().c_str() : nullptr;
}

int32_t tidegate_protobuf_value_number(const tidegate_protobuf *schema, int32_t message, int32_t field,
                                       int32_t value) {
    auto *found = schema->value(message, field, value);
    return found ? found->number() : 0;
}

}  // extern "C"
