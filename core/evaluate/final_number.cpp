#include "core/evaluate/final_number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace spd {
namespace {

constexpr std::string_view kTrueMinus = "\u2212";

bool isDigit(std::string_view text, size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
}

bool isWordEnd(char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || letter == ')' || letter == '_';
}

/// Whether a sign right before `begin` belongs to the number: "-5" and "$-5", not "8-5".
bool isNegative(std::string_view text, size_t begin) {
    if (begin > 0 && text[begin - 1] == '$')
        --begin;
    const std::string_view before = text.substr(0, begin);
    size_t sign = 0;
    if (before.ends_with('-'))
        sign = 1;
    else if (before.ends_with(kTrueMinus))
        sign = kTrueMinus.size();
    else
        return false;
    size_t left = begin - sign;
    if (left > 0 && text[left - 1] == '$')
        --left;
    return left == 0 || !isWordEnd(text[left - 1]);
}

struct FoundNumber {
    double value = 0;
    size_t end = 0;
};

/// The number that begins at `begin`: digits, a comma only before three digits, at most one point before a
/// digit.
FoundNumber readNumber(std::string_view text, size_t begin) {
    std::string digits;
    size_t i = begin;
    const auto isGroup = [&](size_t at) {
        return isDigit(text, at) && isDigit(text, at + 1) && isDigit(text, at + 2) && !isDigit(text, at + 3);
    };
    while (isDigit(text, i) || (i > begin && i < text.size() && text[i] == ',' && isGroup(i + 1))) {
        if (text[i] != ',')
            digits += text[i];
        ++i;
    }
    if (i < text.size() && text[i] == '.' && isDigit(text, i + 1)) {
        digits += text[i++];
        while (isDigit(text, i))
            digits += text[i++];
    }
    FoundNumber found = {0, i};
    std::from_chars(digits.data(), digits.data() + digits.size(), found.value);
    if (isNegative(text, begin))
        found.value = -found.value;
    return found;
}

std::optional<FoundNumber> nextNumber(std::string_view text, size_t from) {
    for (size_t i = from; i < text.size(); ++i)
        if (isDigit(text, i) || (text[i] == '.' && isDigit(text, i + 1) && !(i > 0 && isDigit(text, i - 1))))
            return readNumber(text, i);
    return std::nullopt;
}

std::optional<double> firstNumber(std::string_view text) {
    const std::optional<FoundNumber> found = nextNumber(text, 0);
    return found ? std::optional(found->value) : std::nullopt;
}

std::optional<double> lastNumber(std::string_view text) {
    std::optional<double> last;
    for (std::optional<FoundNumber> found = nextNumber(text, 0); found; found = nextNumber(text, found->end))
        last = found->value;
    return last;
}

std::string lowered(std::string_view text) {
    std::string lower(text);
    for (char& letter : lower)
        if (letter >= 'A' && letter <= 'Z')
            letter = static_cast<char>(letter - 'A' + 'a');
    return lower;
}

std::string_view lineFrom(std::string_view text, size_t begin) {
    return text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin);
}

/// The solution without what a model goes on with: the next question that it asks itself.
std::string_view untilNextQuestion(std::string_view text) {
    for (size_t line = text.find('\n'); line != std::string_view::npos; line = text.find('\n', line + 1)) {
        const std::string_view rest = text.substr(line + 1);
        if (rest.starts_with("Question:") || rest.starts_with("Q:"))
            return text.substr(0, line);
    }
    return text;
}

std::optional<double> boxedNumber(std::string_view text) {
    constexpr std::string_view kBox = "\\boxed{";
    const size_t at = text.rfind(kBox);
    if (at == std::string_view::npos)
        return std::nullopt;
    const std::string_view inside = text.substr(at + kBox.size());
    return firstNumber(inside.substr(0, std::min(inside.find('}'), inside.size())));
}

std::optional<double> announcedNumber(std::string_view text) {
    const std::string lower = lowered(text);
    for (size_t at = lower.rfind("answer"); at != std::string::npos; at = lower.rfind("answer", at - 1)) {
        const size_t behind = at + std::string_view("answer").size();
        const std::string_view rest = std::string_view(lower).substr(behind);
        if (rest.starts_with(" is") || rest.starts_with(":"))
            if (const auto number = firstNumber(lineFrom(lower, behind)))
                return number;
        if (at == 0)
            break;
    }
    return std::nullopt;
}

}  // namespace

std::optional<double> solutionNumber(std::string_view solution) {
    const std::string_view text = untilNextQuestion(solution);
    if (const auto number = boxedNumber(text))
        return number;
    if (const size_t at = text.find("####"); at != std::string_view::npos)
        if (const auto number = firstNumber(lineFrom(text, at + 4)))
            return number;
    if (const auto number = announcedNumber(text))
        return number;
    return lastNumber(text);
}

bool isSameNumber(double a, double b) {
    return std::abs(a - b) <= 1e-6 * std::max({1.0, std::abs(a), std::abs(b)});
}

}  // namespace spd
