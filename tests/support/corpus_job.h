#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/data/corpus_file.h"

namespace spd::test {

/// A made-up generation job, the same in every process: its records depend on their index alone.
class CorpusJob {
public:
    explicit CorpusJob(size_t count, double temperature = 1.0);

    const std::vector<PromptId>& ids() const { return ids_; }
    const nlohmann::ordered_json& meta() const { return meta_; }
    CorpusRecord record(size_t index) const;
    /// The finished file, put together without the code under test.
    std::string expected() const;

    /// Appends what is missing in an order drawn from `seed`, then finishes. `limit` records at most, without
    /// finishing when that is reached. @return records appended
    int run(const std::filesystem::path& out, uint32_t seed, bool overwrite = false,
            int limit = 1 << 30) const;

private:
    std::vector<PromptId> ids_;
    nlohmann::ordered_json meta_;
};

}  // namespace spd::test
