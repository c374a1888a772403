#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/protocol/job.h"

namespace spd::engine {

/// What is kept of jobs beyond the life of an engine: in a folder, for each job ID.json (the job, replaced
/// whole), ID.metrics.jsonl (a point a line) and ID.log. One engine at a time writes (it holds the
/// workspace's lock). Thread-safe as long as one job's files are used by one thread at a time.
class JobFiles {
public:
    /// Makes the folder. @throws Error io
    explicit JobFiles(std::filesystem::path folder);

    /// All jobs, oldest first. A file that cannot be read is left where it is and named in `unread`.
    std::vector<protocol::Job> readAll(std::vector<std::string>& unread) const;
    void write(const protocol::Job& job) const;  ///< @throws Error io
    void remove(const std::string& job) const noexcept;

    /// @throws Error io
    void appendMetrics(const std::string& job, std::span<const nlohmann::ordered_json> points) const;
    void appendLog(const std::string& job, std::span<const std::string> lines) const;

    struct Points {
        nlohmann::ordered_json points = nlohmann::ordered_json::array();
        int64_t next = 0;
    };
    /// Points `from` .. `from` + `limit` - 1; a line cut by a kill is left out. @throws Error io
    Points metrics(const std::string& job, int64_t from, int64_t limit) const;
    int64_t countMetrics(const std::string& job) const;
    /// The last `limit` lines. @throws Error io
    std::vector<std::string> log(const std::string& job, int64_t limit) const;

private:
    std::filesystem::path path(const std::string& job, const char* ending) const;

    std::filesystem::path folder_;
};

}  // namespace spd::engine
