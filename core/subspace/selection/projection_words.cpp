#include <charconv>

#include "core/subspace/projection.h"

namespace spd {

std::optional<std::pair<ProjectControl, uint64_t>> parseControl(std::string_view text) {
    constexpr std::string_view random = "random:";
    if (text == "none")
        return std::pair(ProjectControl::none, uint64_t{0});
    if (text == "complement")
        return std::pair(ProjectControl::complement, uint64_t{0});
    if (!text.starts_with(random))
        return std::nullopt;
    text.remove_prefix(random.size());
    uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return std::pair(ProjectControl::random, seed);
}

std::optional<ProjectWhen> parseProjectWhen(std::string_view text) {
    for (const auto& [word, when] : {std::pair("all", ProjectWhen::all),
                                     {"decode_only", ProjectWhen::decode_only},
                                     {"prefill_only", ProjectWhen::prefill_only}})
        if (text == word)
            return when;
    return std::nullopt;
}

std::optional<ProjectApply> parseProjectApply(std::string_view text) {
    for (const auto& [word, apply] :
         {std::pair("folded", ProjectApply::folded), {"activation", ProjectApply::activation}})
        if (text == word)
            return apply;
    return std::nullopt;
}

}  // namespace spd
