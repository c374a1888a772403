#include "core/subspace/subspace.h"

#include <charconv>

namespace spd {

std::string toText(const KvTarget& target) {
    return std::to_string(target.layer) + "." + std::string(name(target.stream));
}

std::optional<KvTarget> parseKvTarget(std::string_view text) {
    KvTarget target;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), target.layer);
    if (error != std::errc())
        return std::nullopt;
    target.stream = text.ends_with('k') ? KvStream::k : KvStream::v;
    if (toText(target) != text || target.layer < 0)  // one spelling each: "011.k" is none
        return std::nullopt;
    return target;
}

}  // namespace spd
