#include "core/data/curation/corpus_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/data/curation/corpus_statistics.h"
#include "core/data/sets/normalized_text.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

constexpr std::array<std::pair<CorpusFilter, std::string_view>, 5> kFilters = {
    {{CorpusFilter::none, "none"},
     {CorpusFilter::ssd, "ssd"},
     {CorpusFilter::apple, "apple"},
     {CorpusFilter::trl, "trl"},
     {CorpusFilter::mlx, "mlx"}}};

int64_t codePoints(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return !unicode::isContinuation(c); });
}

bool isStub(const std::string& completion, CorpusFilter filter) {
    switch (filter) {
        case CorpusFilter::trl:
            return completion.find('\n') == std::string::npos && codePoints(completion) < 10;
        case CorpusFilter::mlx:
            return isSingleLine(completion) && codePoints(trimBlanks(completion)) <= 80;
        default:
            return isSingleLine(completion);
    }
}

void dropShortest(const std::vector<std::string>& completions, FilteredCorpus& filtered) {
    std::vector<int64_t> lengths;
    for (size_t i = 0; i < completions.size(); ++i)
        if (filtered.keeps[i])
            lengths.push_back(codePoints(completions[i]));
    if (lengths.empty())
        return;
    std::sort(lengths.begin(), lengths.end());
    const int64_t least = lengths[lengths.size() / 10];
    for (size_t i = 0; i < completions.size(); ++i)
        if (filtered.keeps[i] && codePoints(completions[i]) < least) {
            filtered.keeps[i] = false;
            ++filtered.shortest;
        }
}

}  // namespace

std::string FilteredCorpus::describe() const {
    return fmt::format("{} of {} completions kept (left out: empty {}, single line {}, shortest {})", kept(),
                       keeps.size(), empty, single_line, shortest);
}

nlohmann::ordered_json FilteredCorpus::toJson() const {
    return {{"kept", kept()},
            {"dropped", {{"empty", empty}, {"single_line", single_line}, {"shortest", shortest}}}};
}

std::string_view name(CorpusFilter filter) {
    return kFilters[static_cast<size_t>(filter)].second;
}

CorpusFilter parseCorpusFilter(const std::string& text) {
    for (const auto& [filter, word] : kFilters)
        if (word == text)
            return filter;
    throw Error(ErrorKind::invalid_argument,
                "no filter is called " + printable(text, 80) + ": there are none, ssd, apple, trl and mlx");
}

FilteredCorpus filterCorpus(const std::vector<std::string>& completions, CorpusFilter filter) {
    FilteredCorpus filtered;
    filtered.keeps.assign(completions.size(), true);
    if (filter == CorpusFilter::none)
        return filtered;
    for (size_t i = 0; i < completions.size(); ++i) {
        if (isEmptyCompletion(completions[i]))
            ++filtered.empty;
        else if (isStub(completions[i], filter))
            ++filtered.single_line;
        else
            continue;
        filtered.keeps[i] = false;
    }
    if (filter == CorpusFilter::apple)
        dropShortest(completions, filtered);
    return filtered;
}

}  // namespace spd
