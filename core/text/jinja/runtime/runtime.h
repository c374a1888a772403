#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text/jinja/runtime/meter.h"
#include "core/text/jinja/runtime/value.h"

namespace spd::jinja {

/// The moment that strftime_now formats; a render never reads the clock.
struct PinnedDate {
    int year = 2024, month = 7, day = 26, hour = 0, minute = 0, second = 0;
};

/// "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM:SS"; nullopt for anything else and for days that do not exist.
std::optional<PinnedDate> parsePinnedDate(std::string_view text);

/// What one render owns besides the scopes.
struct Runtime {
    Meter meter;
    PinnedDate date;
    /// Every namespace made: they can hold each other, so they are emptied at the end to free such rings.
    std::vector<std::shared_ptr<Namespace>> namespaces;

    Runtime() = default;
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;
    ~Runtime() {
        for (const auto& space : namespaces)
            space->attributes.clear();
    }
};

}  // namespace spd::jinja
