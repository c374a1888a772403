#include "core/subspace/files/subspace_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/data/json_lines.h"
#include "core/subspace/projection.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t format_version = 1;
constexpr int64_t most_layers = 512;  // hardening C3
constexpr int64_t most_heads = 1024;

/// One value a head, or the value itself where there is one basis.
template <class Field>
Json ofHeads(const std::vector<Spectrum>& heads, bool per_head, const Field& field) {
    if (!per_head)
        return field(heads.front());
    Json list = Json::array();
    for (const Spectrum& head : heads)
        list.push_back(field(head));
    return list;
}

Json targetJson(const TargetSubspace& target, bool per_head) {
    const auto of = [&](const auto& field) { return ofHeads(target.heads, per_head, field); };
    return {
        {"rows", target.rows},
        {"nonzero_rows", target.nonzero_rows},
        {"numeric_rank", of([](const Spectrum& head) { return Json(head.numeric_rank); })},
        {"effective_rank", of([](const Spectrum& head) { return Json(head.effective_rank); })},
        {"stable_rank", of([](const Spectrum& head) { return Json(head.stable_rank); })},
        {"split_half_overlap", of([](const Spectrum& head) {
             return Json(std::vector<double>(head.split_half_overlap.begin(), head.split_half_overlap.end()));
         })}};
}

/// A value of the file with its place in it, which every refusal names.
struct Node {
    const Json& json;
    std::string place;
    const std::string& file;

    [[noreturn]] void refuse(std::string_view rule) const {
        throw Error::fileFormat(file, printable(place), rule);
    }
    void require(bool condition, std::string_view rule) const {
        if (!condition)
            refuse(rule);
    }

    Node at(const char* key) const {
        require(json.is_object(), "must be an object");
        const auto found = json.find(key);
        require(found != json.end(), fmt::format("has no \"{}\"", key));
        return {*found, place.empty() ? key : place + "." + key, file};
    }
    std::vector<Node> items() const {
        require(json.is_array(), "must be a list");
        std::vector<Node> nodes;
        for (size_t i = 0; i < json.size(); ++i)
            nodes.push_back({json[i], fmt::format("{}[{}]", place, i), file});
        return nodes;
    }

    const std::string& string() const {
        require(json.is_string(), "must be a text");
        return json.get_ref<const std::string&>();
    }
    std::string sha256() const {
        const std::string& text = string();
        require(text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos,
                "must be a SHA-256 in lower-case hex");
        return text;
    }
    bool boolean() const {
        require(json.is_boolean(), "must be true or false");
        return json.get<bool>();
    }
    int64_t integer(int64_t least, int64_t most = INT64_MAX) const {
        require(isInt64(json) && json.get<int64_t>() >= least && json.get<int64_t>() <= most,
                most == INT64_MAX ? fmt::format("must be a whole number from {} on", least)
                                  : fmt::format("must be a whole number from {} to {}", least, most));
        return json.get<int64_t>();
    }
    double number(double least) const {
        require(json.is_number() && std::isfinite(json.get<double>()) && json.get<double>() >= least,
                fmt::format("must be a number from {} on", least));
        return json.get<double>();
    }
    template <class Value>
    Value oneOf(std::initializer_list<std::pair<std::string_view, Value>> words) const {
        std::vector<std::string_view> known;
        for (const auto& [word, value] : words) {
            if (json == word)
                return value;
            known.push_back(word);
        }
        refuse(fmt::format("must be one of {}", fmt::join(known, ", ")));
    }
};

Eigen::VectorXd overlapsIn(const Node& node) {
    const std::vector<Node> items = node.items();
    node.require(!items.empty(), "must not be empty");
    Eigen::VectorXd overlaps(static_cast<Eigen::Index>(items.size()));
    for (size_t i = 0; i < items.size(); ++i) {
        overlaps(static_cast<Eigen::Index>(i)) = items[i].number(0);
        items[i].require(items[i].number(0) <= 1, "must be at most 1");
    }
    return overlaps;
}

TargetSubspace targetIn(const Node& node, bool per_head) {
    TargetSubspace target;
    target.rows = node.at("rows").integer(0);
    target.nonzero_rows = node.at("nonzero_rows").integer(0, target.rows);
    const auto ofHead = [&](const char* key, size_t head, size_t heads) {
        const Node field = node.at(key);
        if (!per_head)
            return field;
        const std::vector<Node> list = field.items();
        field.require(list.size() == heads, fmt::format("must have {} entries, one a KV head", heads));
        return list[head];
    };
    const size_t heads = per_head ? node.at("numeric_rank").items().size() : 1;
    node.require(heads >= 1 && heads <= most_heads, "must have a KV head");
    for (size_t i = 0; i < heads; ++i) {
        Spectrum head;
        head.split_half_overlap = overlapsIn(ofHead("split_half_overlap", i, heads));
        head.numeric_rank = ofHead("numeric_rank", i, heads).integer(0, head.split_half_overlap.size());
        head.effective_rank = ofHead("effective_rank", i, heads).number(0);
        head.stable_rank = ofHead("stable_rank", i, heads).number(0);
        target.heads.push_back(std::move(head));
    }
    return target;
}

void readLayers(const Node& root, Subspace& subspace) {
    subspace.num_hidden_layers = root.at("num_hidden_layers").integer(1, most_layers);
    const Node layers = root.at("layers");
    for (const Node& layer : layers.items()) {
        const int64_t least = subspace.layers.empty() ? 0 : subspace.layers.back() + 1;
        layer.require(least < subspace.num_hidden_layers, "there are no layers after the one before");
        subspace.layers.push_back(layer.integer(least, subspace.num_hidden_layers - 1));
    }
    layers.require(!subspace.layers.empty(), "must not be empty");
}

/// K and V of each measured layer, and nothing else; all of one width.
void readTargets(const Node& root, Subspace& subspace) {
    const Node targets = root.at("targets");
    for (const int64_t layer : subspace.layers)
        for (const KvStream stream : {KvStream::k, KvStream::v}) {
            const KvTarget target = {layer, stream};
            subspace.targets.emplace(target, targetIn(targets.at(toText(target).c_str()), subspace.per_head));
        }
    targets.require(targets.json.size() == subspace.targets.size(),
                    "names targets that \"layers\" does not have");
    const TargetSubspace& first = subspace.targets.begin()->second;
    for (const auto& [target, measured] : subspace.targets)
        for (const Spectrum& head : measured.heads)
            targets.require(
                measured.heads.size() == first.heads.size() &&
                    head.split_half_overlap.size() == first.heads.front().split_half_overlap.size(),
                toText(target) + " has another width than the others");
}

PromptId idIn(const Node& node) {
    if (isInt64(node.json))
        return node.json.get<int64_t>();
    node.require(node.json.is_string(), "must be a text or a whole number");
    return node.json.get<std::string>();
}

}  // namespace

std::string subspaceJson(const Subspace& subspace) {
    Json examples = Json::array();
    for (const CalibrationRecord& example : subspace.examples)
        examples.push_back({{"id", toJson(example.id)},
                            {"targets", example.targets},
                            {"tokens", example.tokens},
                            {"loss", example.loss}});
    Json targets = Json::object();
    for (const auto& [target, measured] : subspace.targets)
        targets[toText(target)] = targetJson(measured, subspace.per_head);
    const Json json = {{"format_version", format_version},
                       {"model",
                        {{"id", printable(subspace.model_id, 4096)},
                         {"revision", subspace.model_revision},
                         {"config_sha256", subspace.config_sha256}}},
                       {"tokenizer_sha256", subspace.tokenizer_sha256},
                       {"site", name(subspace.site)},
                       {"per_head", subspace.per_head},
                       {"loss", subspace.loss},
                       {"dtype", name(subspace.dtype)},
                       {"num_hidden_layers", subspace.num_hidden_layers},
                       {"layers", subspace.layers},
                       {"examples", examples},
                       {"targets", targets}};
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Subspace parseSubspaceJson(const std::string& text, const std::string& file, const JsonLimits& limits) {
    const Json json = parseStrictJson(text, file, limits);
    const Node root = {json, "", file};
    const Node version = root.at("format_version");
    version.require(isInt64(version.json) && version.json == format_version,
                    fmt::format("must be {}: another version of this program wrote it", format_version));
    Subspace subspace;
    const Node model = root.at("model");
    subspace.model_id = model.at("id").string();
    subspace.model_revision = model.at("revision").string();
    subspace.config_sha256 = model.at("config_sha256").sha256();
    subspace.tokenizer_sha256 = root.at("tokenizer_sha256").sha256();
    subspace.site = root.at("site").oneOf<KvSite>(
        {{"proj", KvSite::proj}, {"post_norm", KvSite::post_norm}, {"post_rope", KvSite::post_rope}});
    subspace.per_head = root.at("per_head").boolean();
    subspace.loss = root.at("loss").oneOf<std::string>(
        {{"aligned", "aligned"}, {"full_sequence", "full_sequence"}, {"full_completion", "full_completion"}});
    subspace.dtype = root.at("dtype").oneOf<DType>(
        {{"float32", DType::float32}, {"bfloat16", DType::bfloat16}, {"float16", DType::float16}});
    readLayers(root, subspace);
    readTargets(root, subspace);
    for (const Node& example : root.at("examples").items())
        subspace.examples.push_back({idIn(example.at("id")), example.at("targets").integer(1),
                                     example.at("tokens").integer(1), example.at("loss").number(0)});
    return subspace;
}

}  // namespace spd
