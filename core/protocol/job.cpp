#include "core/protocol/job.h"

#include <array>
#include <chrono>
#include <utility>

#include "core/protocol/message.h"
#include "core/protocol/params.h"

namespace spd::protocol {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::pair<JobState, const char*>, 6> kStates = {{
    {JobState::queued, "queued"},
    {JobState::running, "running"},
    {JobState::finished, "finished"},
    {JobState::failed, "failed"},
    {JobState::cancelled, "cancelled"},
    {JobState::interrupted, "interrupted"},
}};

void putTime(ordered_json& json, const char* key, int64_t time) {
    if (time != 0)
        json[key] = time;
}

JobFailure readJobFailure(const ordered_json& json) {
    Params params(json);
    return {
        .kind = params.text("kind"), .message = params.text("message"), .details = params.texts("details")};
}

}  // namespace

const char* name(JobState state) {
    for (const auto& [one, word] : kStates)
        if (one == state)
            return word;
    return "failed";
}

std::optional<JobState> jobState(const std::string& name) {
    for (const auto& [state, word] : kStates)
        if (name == word)
            return state;
    return std::nullopt;
}

bool hasEnded(JobState state) {
    return state != JobState::queued && state != JobState::running;
}

int64_t currentTime() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

bool canResume(const Job& job) {
    return job.resumable && hasEnded(job.state) && job.state != JobState::finished;
}

ordered_json Job::toJson() const {
    ordered_json json = {{"job", id},
                         {"kind", kind},
                         {"title", title},
                         {"params", params},
                         {"state", name(state)},
                         {"stopping", stopping},
                         {"resumable", resumable}};
    putTime(json, "queued", queued);
    putTime(json, "started", started);
    putTime(json, "ended", ended);
    if (!result.is_null())
        json["result"] = result;
    if (failure)
        json["error"] = {
            {"kind", failure->kind}, {"message", failure->message}, {"details", failure->details}};
    if (position)
        json["position"] = *position;
    return json;
}

Job Job::fromJson(const ordered_json& json) {
    Params params(json);
    Job job;
    job.id = params.text("job");
    job.kind = params.text("kind");
    job.title = params.text("title", "");
    job.params = params.object("params");
    const std::string state = params.text("state");
    if (!jobState(state))
        throw Refusal(Code::invalid_params, "state: no such state");
    job.state = *jobState(state);
    job.stopping = params.flag("stopping", false);
    job.resumable = params.flag("resumable", false);
    job.queued = params.integer("queued", 0);
    job.started = params.integer("started", 0);
    job.ended = params.integer("ended", 0);
    if (params.has("result"))
        job.result = json["result"];
    if (params.has("error"))
        job.failure = readJobFailure(params.object("error"));
    job.position = params.optionalInteger("position");
    return job;
}

ordered_json JobProgress::toJson() const {
    ordered_json json = {{"phase", progress.phase}, {"done", progress.done},
                         {"total", progress.total}, {"rate", rate},
                         {"note", progress.note},   {"tokens_per_second", progress.tokens_per_second}};
    if (seconds_left)
        json["seconds_left"] = *seconds_left;
    return json;
}

JobProgress JobProgress::fromJson(const ordered_json& json) {
    Params params(json);
    JobProgress read;
    read.progress = {.phase = params.text("phase", ""),
                     .done = params.integer("done", 0),
                     .total = params.integer("total", 0),
                     .tokens_per_second = params.number("tokens_per_second", 0),
                     .note = params.text("note", "")};
    read.rate = params.number("rate", 0);
    read.seconds_left = params.optionalNumber("seconds_left");
    return read;
}

}  // namespace spd::protocol
