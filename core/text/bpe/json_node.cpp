#include "core/text/bpe/json_node.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace spd {
namespace {

constexpr int64_t token_id_end = 1 << 21;

}  // namespace

JsonNode JsonNode::at(const std::string& name) const {
    expectObject();
    const auto member = value_->find(name);
    if (member == value_->end())
        refuse(fmt::format("\"{}\" is missing", name));
    return {*member, *file_, path_.empty() ? name : path_ + "." + name};
}

std::optional<JsonNode> JsonNode::find(const std::string& name) const {
    expectObject();
    const auto member = value_->find(name);
    if (member == value_->end() || member->is_null())
        return std::nullopt;
    return JsonNode(*member, *file_, path_.empty() ? name : path_ + "." + name);
}

JsonNode JsonNode::element(size_t index) const {
    return {(*value_)[index], *file_, fmt::format("{}[{}]", path_, index)};
}

const JsonNode& JsonNode::expectObject() const {
    if (!value_->is_object())
        refuse("must be an object");
    return *this;
}

const JsonNode& JsonNode::expectArray() const {
    if (!value_->is_array())
        refuse("must be an array");
    return *this;
}

const std::string& JsonNode::text() const {
    if (!value_->is_string())
        refuse("must be a string");
    return value_->get_ref<const std::string&>();
}

bool JsonNode::boolean() const {
    if (!value_->is_boolean())
        refuse("must be true or false");
    return value_->get<bool>();
}

int32_t JsonNode::tokenId() const {
    // A number past int64 is unsigned or a float in nlohmann's hands: no cast before the comparison.
    const bool small = value_->is_number_unsigned() && value_->get<uint64_t>() < uint64_t{token_id_end};
    if (!small)
        refuse(fmt::format("a token id must be an integer from 0 to {}", token_id_end - 1));
    return static_cast<int32_t>(value_->get<uint64_t>());
}

void JsonNode::refuse(std::string_view rule) const {
    throw Error::fileFormat(*file_, path_, rule);
}

void JsonNode::refuseUnsupported(std::string_view rule) const {
    throw Error(ErrorKind::unsupported_model, Error::fileFormat(*file_, path_, rule).what());
}

}  // namespace spd
