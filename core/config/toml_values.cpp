#include "core/config/toml_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/error.h"

namespace spd {
namespace {

std::string checkNumber(double value, const FieldRule& rule) {
    const bool is_low = rule.above_least ? !(value > rule.least) : !(value >= rule.least);
    if (!is_low && value <= rule.most && value - value == 0)
        return "";
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (rule.most == kInfinity && rule.least == -kInfinity)
        return "a finite number";
    if (rule.most == kInfinity)
        return fmt::format("{} {}", rule.above_least ? "above" : "at least", rule.least);
    return fmt::format("from {} to {}", rule.least, rule.most);
}

/// A text; where a form is asked for, also a rank 16 for "16" and layers [11, 23] for "11,23".
std::optional<std::string> textOf(const toml::node& node, const FieldRule& rule) {
    if (node.is_string())
        return node.as_string()->get();
    if (rule.form == nullptr)
        return std::nullopt;
    if (node.is_integer())
        return std::to_string(node.as_integer()->get());
    if (!node.is_array() || !node.as_array()->is_homogeneous(toml::node_type::integer))
        return std::nullopt;
    std::vector<int64_t> numbers;
    for (const toml::node& item : *node.as_array())
        numbers.push_back(item.as_integer()->get());
    return fmt::format("{}", fmt::join(numbers, ","));
}

}  // namespace

void Problems::check() const {
    if (found_.empty())
        return;
    std::vector<std::string> lines;
    for (const auto& [line, rule] : found_)
        lines.push_back(Error::fileFormat(file_, fmt::format("line {}", line), rule).what());
    std::string message = lines.front();
    if (lines.size() > 1)
        message += fmt::format(" (and {} more in {})", lines.size() - 1, printable(file_, 1000));
    if (lines.size() == 1)
        lines.clear();
    throw Error(ErrorKind::invalid_argument, message).withDetails(std::move(lines));
}

std::string takeValue(const toml::node& node, const FieldRule&, bool& value) {
    if (!node.is_boolean())
        return "true or false";
    value = node.as_boolean()->get();
    return "";
}

std::string takeValue(const toml::node& node, const FieldRule& rule, int64_t& value) {
    if (!node.is_integer())
        return "a whole number";
    const std::string wrong = checkNumber(static_cast<double>(node.as_integer()->get()), rule);
    if (wrong.empty())
        value = node.as_integer()->get();
    return wrong;
}

std::string takeValue(const toml::node& node, const FieldRule& rule, double& value) {
    if (!node.is_number())
        return "a number";
    const double number = *node.value<double>();
    const std::string wrong = checkNumber(number, rule);
    if (wrong.empty())
        value = number;
    return wrong;
}

std::string takeValue(const toml::node& node, const FieldRule& rule, std::string& value) {
    const std::optional<std::string> text = textOf(node, rule);
    if (rule.form != nullptr && (!text || !rule.form(*text)))
        return std::string(rule.form_text);
    if (!text)
        return "a text";
    if (!rule.words.empty() && std::find(rule.words.begin(), rule.words.end(), *text) == rule.words.end())
        return fmt::format("one of \"{}\"", fmt::join(rule.words, "\", \""));
    value = *text;
    return "";
}

}  // namespace spd
