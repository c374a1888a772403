#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/data/json_lines.h"

namespace spd::test {

/// What readJsonLines() made of a file.
struct Outcome {
    std::vector<std::pair<int64_t, std::string>> rows;  ///< line from 0, dump
    std::string message;                                ///< empty: accepted
    ErrorKind kind = ErrorKind::internal;
    std::vector<std::string> details;
};

inline double slowest_refusal = 0;  ///< ms

inline Outcome read(const std::filesystem::path& path,
                    const std::function<void(int64_t, const nlohmann::ordered_json&)>& on_row = {}) {
    Outcome outcome;
    const auto start = std::chrono::steady_clock::now();
    try {
        readJsonLines(path, [&](int64_t line, const nlohmann::ordered_json& row) {
            if (on_row)
                on_row(line, row);
            outcome.rows.emplace_back(line, row.dump());
        });
    } catch (const Error& error) {
        outcome.message = error.what();
        outcome.kind = error.kind();
        outcome.details = error.details();
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        slowest_refusal = std::max(slowest_refusal, time.count());
    }
    return outcome;
}

}  // namespace spd::test
