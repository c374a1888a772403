#include "core/base/strict_json.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "core/base/duplicates.h"
#include "core/base/error.h"
#include "core/base/strict_json_events.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

struct Member {
    std::string key;
    Json value;
    size_t position;  ///< just behind the key
};

/// An object or array that is not closed yet. Members are kept here and not in a Json object, since inserting
/// into an ordered_json searches all earlier keys, and its vector copies whole subtrees when it grows.
struct OpenContainer {
    bool is_object;
    std::vector<Member> members;
    Json::array_t elements;
};

class TreeBuilder : public StrictJsonEvents {
public:
    TreeBuilder(const std::string& file, const JsonLimits& limits)
        : StrictJsonEvents(file, limits), values_left_(limits.max_values) {}

    Json takeResult() { return std::move(result_); }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool key(string_t& key) override {
        open_.back().members.push_back({std::move(key), nullptr, position()});
        return true;
    }

private:
    void startObject() override { open_.push_back({true, {}, {}}); }
    void startArray() override { open_.push_back({false, {}, {}}); }

    void endObject() override {
        std::vector<Member> members = std::move(open_.back().members);
        open_.pop_back();
        refuseDuplicates(members);
        Json object = Json::object();
        auto& entries = object.get_ref<Json::object_t&>();
        entries.reserve(members.size());
        using Entries = Json::object_t::Container;
        for (Member& member : members)
            static_cast<Entries&>(entries).emplace_back(std::move(member.key), std::move(member.value));
        add(std::move(object));
    }

    void endArray() override {
        Json array = std::move(open_.back().elements);
        open_.pop_back();
        add(std::move(array));
    }

    void refuseDuplicates(const std::vector<Member>& members) const {
        std::vector<std::string_view> keys;
        keys.reserve(members.size());
        for (const Member& member : members)
            keys.push_back(member.key);
        if (const std::optional<size_t> i = findDuplicate(keys))
            refuseAt(members[*i].position,
                     fmt::format("duplicate key \"{}\"", printable(members[*i].key, 80)));
    }

    bool add(Json value) {
        if (values_left_-- == 0)
            refuse("too many values");
        if (open_.empty())
            result_ = std::move(value);
        else if (open_.back().is_object)
            open_.back().members.back().value = std::move(value);
        else
            open_.back().elements.push_back(std::move(value));
        return true;
    }

    size_t values_left_;
    std::vector<OpenContainer> open_;
    Json result_;
};

}  // namespace

nlohmann::ordered_json parseStrictJson(std::string_view text, const std::string& file,
                                       const JsonLimits& limits) {
    TreeBuilder builder(file, limits);
    builder.parse(text);
    return builder.takeResult();
}

}  // namespace spd
