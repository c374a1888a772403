#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "core/base/error.h"
#include "core/subspace/projection.h"

namespace spd {
namespace {

/// "I,J,...", rising, below `end`.
std::optional<std::vector<int64_t>> parseList(std::string_view text, int64_t end) {
    std::vector<int64_t> layers;
    while (true) {
        const size_t comma = text.find(',');
        const std::string_view item = text.substr(0, comma);
        int64_t layer = 0;
        const auto [stop, error] = std::from_chars(item.data(), item.data() + item.size(), layer);
        if (error != std::errc() || stop != item.data() + item.size() || layer < 0 || layer >= end ||
            (!layers.empty() && layer <= layers.back()))
            return std::nullopt;
        layers.push_back(layer);
        if (comma == std::string_view::npos)
            return layers;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

std::vector<int64_t> parseLayers(const std::string& text, int64_t num_hidden_layers) {
    if (text == "all") {
        std::vector<int64_t> layers(static_cast<size_t>(num_hidden_layers));
        std::iota(layers.begin(), layers.end(), 0);
        return layers;
    }
    if (text == "last_mid") {
        const int64_t middle = std::max<int64_t>(num_hidden_layers / 2 - 1, 0);
        if (middle == num_hidden_layers - 1)
            return {middle};
        return {middle, num_hidden_layers - 1};
    }
    if (const auto layers = parseList(text, num_hidden_layers))
        return *layers;
    throw Error(ErrorKind::invalid_argument,
                fmt::format("layers \"{}\": must be last_mid, all, or rising layers from 0 to {} with commas "
                            "between them",
                            printable(text), num_hidden_layers - 1));
}

}  // namespace spd
