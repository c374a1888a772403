#include "app/cli/shown_examples.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/text/token_texts.h"

namespace spd::cli {
namespace {

/// Safe for a terminal, line by line.
std::string safeText(std::string_view text) {
    std::string safe;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        if (end < text.size() && line.ends_with('\r'))
            line.remove_suffix(1);
        safe += printable(line, std::numeric_limits<size_t>::max());
        if (end < text.size())
            safe += '\n';
        at = end + 1;
    }
    return safe;
}

/// Marks on neighbouring tokens alternate.
std::string marked(const std::string& piece, SpanMarks marks, bool second) {
    if (marks == SpanMarks::brackets)
        return "\xE2\x9F\xA6" + piece + "\xE2\x9F\xA7";
    return (second ? "\x1b[30;46m" : "\x1b[30;42m") + piece + "\x1b[0m";
}

bool isTarget(const CalibrationExample& example, size_t position) {
    return std::binary_search(example.target_positions.begin(), example.target_positions.end(),
                              static_cast<int64_t>(position));
}

}  // namespace

SpanMarks spanMarksOfOutput() {
    const auto has = [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    };
    const char* terminal = std::getenv("TERM");
    const bool plain = has("NO_COLOR") || terminal == nullptr || std::string_view(terminal) == "dumb";
    return ::isatty(STDOUT_FILENO) == 1 && !plain ? SpanMarks::colours : SpanMarks::brackets;
}

std::string shownExample(size_t number, const CalibrationExample& example, const Tokenizer& tokenizer,
                         SpanMarks marks) {
    std::string text =
        fmt::format("-- {}. {}: {} tokens, {} in the span\n", number, printable(toText(example.id), 300),
                    example.input_ids.size(), example.target_positions.size());
    const std::vector<std::string> pieces = tokenTexts(tokenizer, example.input_ids);
    bool second = false;
    for (size_t t = 0; t < pieces.size(); ++t) {
        const bool target = isTarget(example, t);
        const std::string piece = safeText(pieces[t]);
        text += target && !piece.empty() ? marked(piece, marks, second) : piece;
        second = target && !second;
    }
    return text + "\n";
}

nlohmann::ordered_json exampleJson(const CalibrationExample& example, const Tokenizer& tokenizer) {
    nlohmann::ordered_json targets = nlohmann::ordered_json::array();
    for (const int64_t position : example.target_positions) {
        const int32_t id = example.input_ids[static_cast<size_t>(position)];
        targets.push_back({{"position", position}, {"id", id}, {"text", tokenizer.decode({id}, false)}});
    }
    nlohmann::ordered_json prompt_tokens;
    if (example.prompt_tokens != CalibrationExample::kUnknown)
        prompt_tokens = example.prompt_tokens;
    return {{"id", toJson(example.id)},
            {"tokens", example.input_ids.size()},
            {"prompt_tokens", prompt_tokens},
            {"text", tokenizer.decode(example.input_ids, false)},
            {"targets", targets}};
}

}  // namespace spd::cli
