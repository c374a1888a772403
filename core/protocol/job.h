#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/job_context.h"

namespace spd::protocol {

enum class JobState {
    queued,
    running,
    finished,
    failed,
    cancelled,
    interrupted,  ///< its engine ended while it ran
};

const char* name(JobState state);
/// @return nothing for another word
std::optional<JobState> jobState(const std::string& name);
/// Neither queued nor running.
bool hasEnded(JobState state);

/// Milliseconds since 1970 in UTC, as all times of the messages.
int64_t currentTime();

struct JobFailure {
    std::string kind;
    std::string message;
    std::vector<std::string> details;
};

/// A job as PROTOCOL.md has it. Times: milliseconds since 1970 in UTC, 0 for not yet.
struct Job {
    std::string id;
    std::string kind;
    std::string title;
    nlohmann::ordered_json params = nlohmann::ordered_json::object();
    JobState state = JobState::queued;
    bool stopping = false;
    bool resumable = false;
    int64_t queued = 0;
    int64_t started = 0;
    int64_t ended = 0;
    nlohmann::ordered_json result = nullptr;  ///< when finished
    std::optional<JobFailure> failure;        ///< when failed
    std::optional<int64_t> position;          ///< in the queue

    nlohmann::ordered_json toJson() const;
    /// @throws Refusal invalid_params
    static Job fromJson(const nlohmann::ordered_json& json);
};

/// It has ended before its end, and the same params go on from there.
bool canResume(const Job& job);

/// A Progress with what only the sender of all of them knows.
struct JobProgress {
    Progress progress;
    double rate = 0;  ///< units a second; 0: unknown
    std::optional<double> seconds_left;

    nlohmann::ordered_json toJson() const;
    /// @throws Refusal invalid_params
    static JobProgress fromJson(const nlohmann::ordered_json& json);
};

}  // namespace spd::protocol
