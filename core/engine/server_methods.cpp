// What an engine answers by itself: connection and jobs. The rest is added from outside.

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/machine.h"
#include "core/engine/server.h"
#include "core/protocol/params.h"

namespace spd::engine {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;
using protocol::Request;

namespace {

constexpr size_t kMaxAsked = 256;  // requests of one client that wait

Query onJob(const std::function<void(const std::string& job)>& act) {
    return [act](const ordered_json& json) {
        Params params(json);
        const std::string job = params.text("job");
        params.refuseOthers();
        act(job);
        return ordered_json::object();
    };
}

ordered_json startJob(JobQueue& jobs, const ordered_json& json) {
    Params params(json);
    const std::string kind = params.text("kind");
    const ordered_json settings = params.object("params");
    const std::string title = params.text("title", "");
    params.refuseOthers();
    return {{"job", jobs.start(kind, settings, title).toJson()}};
}

ordered_json jobMetrics(const JobQueue& jobs, const ordered_json& json) {
    Params params(json);
    const std::string job = params.text("job");
    const int64_t from = params.integer("from", 0);
    const int64_t limit = params.integer("limit", 100'000);
    params.refuseOthers();
    if (from < 0 || limit < 1 || limit > 1'000'000)
        throw Refusal(Code::invalid_params, "from must not be negative, limit lie in [1, 1000000]");
    const JobFiles::Points read = jobs.metrics(job, from, limit);
    return {{"points", read.points}, {"next", read.next}};
}

ordered_json jobLog(const JobQueue& jobs, const ordered_json& json) {
    Params params(json);
    const std::string job = params.text("job");
    const int64_t limit = params.integer("limit", 10'000);
    params.refuseOthers();
    if (limit < 1 || limit > 1'000'000)
        throw Refusal(Code::invalid_params, "limit must lie in [1, 1000000]");
    return {{"lines", jobs.log(job, limit)}};
}

}  // namespace

void Server::addMethods() {
    at_once_["ping"] = [](const ordered_json&) { return ordered_json::object(); };
    at_once_["shutdown"] = [this](const ordered_json& params) { return shutdown(params); };
    at_once_["jobs.list"] = [this](const ordered_json&) { return ordered_json{{"jobs", jobs_->list()}}; };
    at_once_["jobs.cancel"] = onJob([this](const std::string& job) { jobs_->cancel(job); });
    at_once_["jobs.resume"] = onJob([this](const std::string& job) { jobs_->resume(job); });
    at_once_["jobs.remove"] = onJob([this](const std::string& job) { jobs_->remove(job); });
    at_once_["jobs.move"] = [this](const ordered_json& json) {
        Params params(json);
        const std::string job = params.text("job");
        const int64_t position = params.integer("position");
        params.refuseOthers();
        jobs_->move(job, position);
        return ordered_json::object();
    };
    queries_["jobs.start"] = [this](const ordered_json& params) { return startJob(*jobs_, params); };
    queries_["jobs.metrics"] = [this](const ordered_json& params) { return jobMetrics(*jobs_, params); };
    queries_["jobs.log"] = [this](const ordered_json& params) { return jobLog(*jobs_, params); };
}

void Server::handle(Connection& client, Request request) {
    const auto refuse = [&](Code code, const std::string& why) {
        client.send(toLine(protocol::Response{request.id, Refusal(code, why).failure()}));
    };
    if (request.method == "hello") {
        client.send(
            toLine(answer(request, [&](const ordered_json& params) { return hello(client, params); })));
        return;
    }
    if (!client.greeted) {
        refuse(Code::invalid_request, "hello comes first");
        return;
    }
    if (request.method == "subscribe") {
        client.send(
            toLine(answer(request, [&](const ordered_json& params) { return subscribe(client, params); })));
        return;
    }
    if (const auto found = at_once_.find(request.method); found != at_once_.end()) {
        client.send(toLine(answer(request, found->second)));
        return;
    }
    const auto query = queries_.find(request.method);
    if (query == queries_.end())
        refuse(Code::unknown_method, fmt::format("no such method: {}", printable(request.method)));
    else if (query_thread_->waiting(client.id()) >= kMaxAsked)
        refuse(Code::busy, fmt::format("{} requests wait already", kMaxAsked));
    else
        query_thread_->ask(client.id(), std::move(request), query->second);
}

ordered_json Server::hello(Connection& client, const ordered_json& json) {
    Params params(json);
    const int64_t version = params.integer("protocol");
    if (version != protocol::kVersion)
        throw Refusal(Code::invalid_request,
                      fmt::format("the window speaks protocol {}, the engine ({}) protocol {}: use the same "
                                  "release of both",
                                  version, setup_.program, protocol::kVersion));
    client.greeted = true;
    return {{"protocol", protocol::kVersion},
            {"engine", setup_.program},
            {"pid", getpid()},
            {"workspace", printable(setup_.workspace.native(), 4096)},
            {"started", started_},
            {"session", session_},
            {"next", events_.next()},
            {"threads", setup_.threads},
            {"processor", readMachine().processor}};
}

ordered_json Server::subscribe(Connection& client, const ordered_json& json) {
    Params params(json);
    const std::string session = params.text("session");
    const int64_t from = params.integer("from");
    params.refuseOthers();
    const bool gap = session != session_ || from < events_.oldest() || from > events_.next();
    const int64_t next = gap ? events_.next() : from;
    client.follow(next);
    return {{"next", next}, {"oldest", events_.oldest()}, {"gap", gap}};
}

ordered_json Server::shutdown(const ordered_json& json) {
    Params params(json);
    (params.flag("when_idle", false) ? ending_when_idle_ : ending_) = true;
    params.refuseOthers();
    return ordered_json::object();
}

}  // namespace spd::engine
