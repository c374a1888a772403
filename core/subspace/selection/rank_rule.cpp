#include "core/subspace/selection/rank_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/data/json_lines.h"
#include "core/subspace/spectrum.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view energy_prefix = "energy:";
constexpr std::string_view file_prefix = "file:";

/// The whole of `text` as a number.
template <class Number>
std::optional<Number> parseNumber(std::string_view text) {
    Number value = {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace

RankRule RankRule::parse(const std::string& text) {
    RankRule rule;
    const std::string_view view = text;
    if (view.starts_with(file_prefix) && view.size() > file_prefix.size())
        return fromFile(text.substr(file_prefix.size()));
    if (!text.empty())
        rule.name_ = text;
    if (text.empty() || text == "half_dim")
        return rule;
    if (text == "half_numeric") {
        rule.kind_ = Kind::half_numeric;
        return rule;
    }
    if (view.starts_with(energy_prefix)) {
        const std::optional<double> share = parseNumber<double>(view.substr(energy_prefix.size()));
        if (share && *share > 0 && *share <= 1) {
            rule.kind_ = Kind::energy;
            rule.energy_ = *share;
            return rule;
        }
    } else if (const std::optional<int64_t> rank = parseNumber<int64_t>(view); rank && *rank >= 1) {
        rule.kind_ = Kind::fixed;
        rule.fixed_ = *rank;
        rule.name_ = std::to_string(*rank);
        return rule;
    }
    if (const std::optional<RankRule> list = fromList(text))
        return *list;
    throw Error(ErrorKind::invalid_argument,
                fmt::format("rank rule \"{}\": must be half_dim, half_numeric, energy:T with 0 < T <= 1, a "
                            "rank from 1 on, 11.k=R,11.v=R,..., or file:F",
                            printable(text)));
}

/// "11.k=5,11.v=7"; nothing for any other text, or one that names a target twice.
std::optional<RankRule> RankRule::fromList(const std::string& text) {
    RankRule rule;
    rule.kind_ = Kind::list;
    rule.name_ = text;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), item.size() + 1));
        const size_t equals = item.find('=');
        if (equals == std::string_view::npos)
            return std::nullopt;
        const std::optional<KvTarget> target = parseKvTarget(item.substr(0, equals));
        const std::optional<int64_t> rank = parseNumber<int64_t>(item.substr(equals + 1));
        if (!target || !rank || *rank < 1 || !rule.ranks_.emplace(*target, *rank).second)
            return std::nullopt;
    }
    return text.empty() || text.back() == ',' ? std::nullopt : std::optional(rule);
}

RankRule RankRule::fromFile(const std::string& path) {
    RankRule rule;
    rule.kind_ = Kind::file;
    rule.name_ = "file";
    rule.file_ = path;
    const JsonLimits limits;
    const Json json = parseStrictJson(readFile(path, limits.max_bytes), path, limits);
    if (!json.is_object())
        throw Error::fileFormat(path, "", R"(must be a JSON object {"11.k": R, "11.v": R, ...})");
    for (const auto& [key, value] : json.items()) {
        const std::optional<KvTarget> target = parseKvTarget(key);
        if (!target)
            throw Error::fileFormat(path, printable(key), "must be a layer and k or v, as in \"11.k\"");
        if (!isInt64(value) || value.get<int64_t>() < 1)
            throw Error::fileFormat(path, key, "must be a rank: a whole number from 1 on");
        rule.ranks_[*target] = value.get<int64_t>();
    }
    return rule;
}

int64_t RankRule::rankFor(const KvTarget& target, const Spectrum& spectrum) const {
    switch (kind_) {
        case Kind::half_dim:
            return std::max<int64_t>(1, spectrum.singular_values.size() / 2);
        case Kind::half_numeric:
            return std::max<int64_t>(1, spectrum.numeric_rank / 2);
        case Kind::energy:
            return rankOfEnergy(spectrum.singular_values, energy_);
        case Kind::fixed:
            return fixed_;
        case Kind::list:
        case Kind::file:
            break;
    }
    const auto found = ranks_.find(target);
    if (found == ranks_.end() && kind_ == Kind::list)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("rank rule \"{}\": {} has no rank, and is projected", name_, toText(target)));
    if (found == ranks_.end())
        throw Error::fileFormat(file_, toText(target), "has no rank, and is projected");
    return found->second;
}

std::string RankRule::source() const {
    return kind_ == Kind::file ? printable(file_, 1000) : "rank rule " + name_;
}

}  // namespace spd
