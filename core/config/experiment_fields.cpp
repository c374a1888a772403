#include "core/config/experiment_fields.h"

#include <algorithm>
#include <charconv>

namespace spd {
namespace {

/// The whole of `text` as a number of this type.
template <class Number>
bool isNumber(std::string_view text, Number least, Number most) {
    Number value = {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
}

/// Comma-separated layers, rising.
bool isLayerList(std::string_view text) {
    constexpr int64_t kMostLayers = 512;
    int64_t last = -1;
    while (true) {
        const size_t comma = text.find(',');
        const std::string_view item = text.substr(0, comma);
        if (!isNumber<int64_t>(item, last + 1, kMostLayers))
            return false;
        std::from_chars(item.data(), item.data() + item.size(), last);
        if (comma == std::string_view::npos)
            return true;
        text.remove_prefix(comma + 1);
    }
}

bool isLayers(const std::string& text) {
    return text.empty() || text == "last_mid" || text == "all" || isLayerList(text);
}

bool isRankRule(const std::string& text) {
    if (text.starts_with("energy:"))
        return isNumber<double>(std::string_view(text).substr(7), 0.0, 1.0) && text != "energy:0";
    if (text.starts_with("file:"))
        return text.size() > 5;
    return text == "half_dim" || text == "half_numeric" || isNumber<int64_t>(text, 1, int64_t{1} << 20);
}

bool isControl(const std::string& text) {
    if (text.starts_with("random:"))
        return isNumber<uint64_t>(std::string_view(text).substr(7), 0, std::numeric_limits<uint64_t>::max());
    return text == "none" || text == "complement";
}

bool isNotEmpty(const std::string& text) {
    return !text.empty();
}

FieldRule formRule(bool (*form)(const std::string&), std::string_view text) {
    FieldRule rule;
    rule.form = form;
    rule.form_text = text;
    return rule;
}

}  // namespace

std::string_view name(Method method) {
    constexpr std::string_view names[] = {"base", "psr", "ssd", "spd"};
    return names[static_cast<size_t>(method)];
}

FieldRule atLeast(double least) {
    FieldRule rule;
    rule.least = least;
    return rule;
}

FieldRule above(double least) {
    FieldRule rule = atLeast(least);
    rule.above_least = true;
    return rule;
}

FieldRule between(double least, double most) {
    FieldRule rule = atLeast(least);
    rule.most = most;
    return rule;
}

FieldRule oneOf(std::vector<std::string_view> words) {
    FieldRule rule;
    rule.words = std::move(words);
    return rule;
}

FieldRule layersRule() {
    return formRule(isLayers, "\"last_mid\", \"all\" or rising layers such as \"11,23\" or [11, 23]");
}

FieldRule rankRule() {
    return formRule(isRankRule,
                    "\"half_dim\", \"half_numeric\", \"energy:T\" with 0 < T <= 1, a rank, or \"file:F\"");
}

FieldRule controlRule() {
    return formRule(isControl, "\"none\", \"complement\" or \"random:SEED\"");
}

FieldRule notEmpty() {
    return formRule(isNotEmpty, "a text that is not empty");
}

}  // namespace spd
