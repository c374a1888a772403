#include "tests/support/json_mutator.h"

#include <cctype>
#include <vector>

namespace spd::test {
namespace {

struct Span {
    size_t begin;
    size_t end;
};

bool isNumberPart(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
}

/// Numbers outside of strings, or strings with their quotes.
std::vector<Span> findSpans(const std::string& text, bool strings) {
    std::vector<Span> spans;
    size_t i = 0;
    while (i < text.size()) {
        const size_t begin = i;
        if (text[i] == '"') {
            for (++i; i < text.size() && text[i] != '"'; ++i)
                if (text[i] == '\\')
                    ++i;
            ++i;
            if (strings && i <= text.size())
                spans.push_back({begin, i});
        } else if (isNumberPart(text[i])) {
            while (i < text.size() && isNumberPart(text[i]))
                ++i;
            if (!strings)
                spans.push_back({begin, i});
        } else {
            ++i;
        }
    }
    return spans;
}

const std::vector<std::string> edge_numbers = {"0",
                                               "-0",
                                               "1",
                                               "-1",
                                               "2",
                                               "3",
                                               "7",
                                               "8",
                                               "16",
                                               "1.0",
                                               "1e0",
                                               "1e3",
                                               "0.5",
                                               "1e999",
                                               "-1e999",
                                               "1e-999",
                                               "127",
                                               "65536",
                                               "65537",
                                               "2147483647",
                                               "2147483648",
                                               "4294967296",
                                               "9007199254740993",
                                               "4611686018427387904",
                                               "9223372036854775807",
                                               "9223372036854775808",
                                               "18446744073709551614",
                                               "18446744073709551615",
                                               "18446744073709551616",
                                               "1000000000000",
                                               "null",
                                               "true",
                                               "[]",
                                               "{}",
                                               "\"1\"",
                                               "[1]",
                                               "[1,2]",
                                               "01",
                                               "+1",
                                               "NaN"};

const std::vector<std::string> odd_strings = {"\"\"",
                                              "\"a\"",
                                              "\"\\u0061\"",
                                              "\"\\u0000\"",
                                              "\"\\ud800\"",
                                              "\"\\ud83d\\ude00\"",
                                              "\"__metadata__\"",
                                              "\"dtype\"",
                                              "\"shape\"",
                                              "\"data_offsets\"",
                                              "\"F32\"",
                                              "\"BF16\"",
                                              "\"F4\"",
                                              "\"f32\"",
                                              "\"../x.safetensors\"",
                                              "\"/etc/passwd\"",
                                              "\"X.safetensors\"",
                                              "\"weight_map\"",
                                              "\"model-00002-of-00002.safetensors\"",
                                              "\"MODEL-00001-of-00002.safetensors\"",
                                              "\"hidden_size\"",
                                              "\"auto_map\"",
                                              "\"quantization_config\"",
                                              "\"rope_parameters\"",
                                              "\"yarn\"",
                                              "\"float16\"",
                                              "\"\xFF\"",
                                              "\"\n\"",
                                              "null",
                                              "1",
                                              "{}",
                                              "[]"};

const std::vector<std::string> tokens = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"",
                                         "\\",
                                         " ",
                                         "\n",
                                         std::string(1, '\0'),
                                         "null",
                                         "\xEF\xBB\xBF",
                                         "/**/",
                                         "'",
                                         "\xC0\xAF",
                                         "\xED\xA0\x80",
                                         "1e999",
                                         "\\u0000"};

}  // namespace

std::string JsonMutator::mutate(const std::string& text) {
    std::string changed = text;
    for (size_t changes = 1 + below(3); changes > 0; --changes)
        changed = changeOnce(changed);
    return changed;
}

std::string JsonMutator::changeOnce(const std::string& text) {
    switch (below(10)) {
        case 0:
        case 1:
        case 2:
        case 3:
            return replaceNumber(text);
        case 4:
        case 5:
            return replaceString(text);
        case 6:
            return repeatMember(text);
        case 7: {
            const size_t at = below(text.size() + 1);
            return text.substr(0, at) + tokens[below(tokens.size())] + text.substr(at);
        }
        case 8: {
            const size_t at = below(text.size() + 1);
            const std::string nest(1 + below(2000), below(2) == 0 ? '[' : '{');
            return text.substr(0, at) + nest + text.substr(at);
        }
        default:
            return damageBytes(text);
    }
}

std::string JsonMutator::replaceNumber(const std::string& text) {
    const std::vector<Span> numbers = findSpans(text, false);
    if (numbers.empty())
        return text;
    const Span span = numbers[below(numbers.size())];
    return text.substr(0, span.begin) + edge_numbers[below(edge_numbers.size())] + text.substr(span.end);
}

std::string JsonMutator::replaceString(const std::string& text) {
    const std::vector<Span> strings = findSpans(text, true);
    if (strings.empty())
        return text;
    const Span span = strings[below(strings.size())];
    const Span other = strings[below(strings.size())];
    const std::string with = below(2) == 0 ? odd_strings[below(odd_strings.size())]
                                           : text.substr(other.begin, other.end - other.begin);
    return text.substr(0, span.begin) + with + text.substr(span.end);
}

/// From one comma to the next, once more: a member or element twice.
std::string JsonMutator::repeatMember(const std::string& text) {
    std::vector<size_t> commas;
    for (size_t i = 0; i < text.size(); ++i)
        if (text[i] == ',')
            commas.push_back(i);
    if (commas.size() < 2)
        return text;
    const size_t first = below(commas.size() - 1);
    const std::string member = text.substr(commas[first], commas[first + 1] - commas[first]);
    return text.substr(0, commas[first]) + member + text.substr(commas[first]);
}

std::string JsonMutator::damageBytes(std::string bytes) {
    if (bytes.empty())
        return bytes;
    const size_t at = below(bytes.size());
    switch (below(6)) {
        case 0:
            bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1u << below(8)));
            return bytes;
        case 1:
            bytes[at] = static_cast<char>(below(256));
            return bytes;
        case 2:
            return bytes.substr(0, at);
        case 3:
            return bytes.erase(at, 1 + below(20));
        case 4:
            return bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(20)));
        default:
            bytes[below(std::min<size_t>(bytes.size(), 16))] = static_cast<char>(below(256));
            return bytes;
    }
}

}  // namespace spd::test
