// runs.list, runs.show, runs.compare, runs.metrics, runs.tag, runs.untag, runs.note, runs.delete,
// runs.restore.

#include <fmt/format.h>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/runs/runs_commands.h"
#include "core/base/error.h"
#include "core/store/import/run_folder.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

ordered_json list(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    RunListRequest request;
    request.experiment = params.text("experiment", "");
    request.limit = params.integer("limit", 0);
    request.deleted = params.flag("deleted", false);
    params.refuseOthers();
    if (request.limit < 0)
        throw Refusal(Code::invalid_params, "limit must not be negative");
    if (!hasStore(workplace.common()))
        return {{"runs", ordered_json::array()}, {"total", 0}, {"experiments", ordered_json::array()}};
    const RunStore store = openStore(workplace.common());
    size_t all = 0;
    const std::vector<RunRecord> runs = selectedRuns(store, request, all);
    ordered_json experiments = ordered_json::array();
    for (const ExperimentRecord& experiment : store.experiments())
        experiments.push_back(
            {{"id", experiment.id}, {"name", experiment.name}, {"created_ms", experiment.created_ms}});
    return {{"runs", listJson(store, runs)}, {"total", all}, {"experiments", experiments}};
}

ordered_json show(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::string run = params.text("run");
    params.refuseOthers();
    const RunStore store = openStore(workplace.common());
    return showJson(store, store.findRun(run));
}

std::vector<RunRecord> findAll(const RunStore& store, const std::vector<std::string>& texts) {
    if (texts.empty() || texts.size() > 100)
        throw Refusal(Code::invalid_params, "runs: must name 1 to 100 runs");
    std::vector<RunRecord> runs;
    for (const std::string& text : texts)
        runs.push_back(store.findRun(text));
    return runs;
}

ordered_json compare(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::vector<std::string> texts = params.texts("runs");
    params.refuseOthers();
    const RunStore store = openStore(workplace.common());
    return compareJson(store, findAll(store, texts));
}

/// At most `most` of them, the first and the last among them.
ordered_json pointsJson(const std::vector<Metric>& points, size_t most) {
    ordered_json list = ordered_json::array();
    const size_t stride = points.size() <= most ? 1 : (points.size() + most - 1) / most;
    for (size_t i = 0; i < points.size(); ++i)
        if (i % stride == 0 || i + 1 == points.size())
            list.push_back({points[i].step, toJson(points[i].value)});
    return list;
}

ordered_json metrics(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::vector<std::string> texts = params.texts("runs");
    const std::vector<std::string> keys = params.texts("keys");
    const int64_t most = params.integer("most", 100'000);
    params.refuseOthers();
    if (most < 2 || most > 1'000'000)
        throw Refusal(Code::invalid_params, "most must lie in [2, 1000000]");
    const RunStore store = openStore(workplace.common());
    ordered_json rows = ordered_json::array();
    for (const RunRecord& run : findAll(store, texts)) {
        ordered_json curves = ordered_json::object();
        ordered_json known = ordered_json::array();
        for (const Metric& last : store.finalMetrics(run.id))
            known.push_back(last.key);
        for (const std::string& key : keys)
            curves[key] = pointsJson(store.metrics(run.id, key), static_cast<size_t>(most));
        rows.push_back({{"run", run.id}, {"keys", known}, {"curves", curves}});
    }
    return {{"runs", rows}};
}

/// Changes one run and says so. @param change  gets the params besides "run"; returns the answer.
engine::Query changing(
    Workplace& workplace,
    const std::function<std::function<ordered_json(RunStore&, const RunRecord&)>(Params&)>& read) {
    return [&workplace, read](const ordered_json& json) {
        Params params(json);
        const std::string text = params.text("run");
        const auto change = read(params);
        params.refuseOthers();
        RunStore store = openStore(workplace.common());
        const RunRecord run = store.findRun(text);
        ordered_json answer = {{"run", run.id}};
        answer.update(change(store, run));
        workplace.emit("runs.changed", {{"run", run.id}});
        return answer;
    };
}

ordered_json tagsOf(const RunStore& store, const RunRecord& run) {
    return {{"tags", toJson(store.tags(run.id))}};
}

void addTags(engine::Server& server, Workplace& workplace) {
    server.addQuery("runs.tag", changing(workplace, [](Params& params) {
                        const KeyValue tag{params.text("key"), params.text("value", "")};
                        if (tag.key.empty())
                            throw Refusal(Code::invalid_params, "key: is empty");
                        return [tag](RunStore& store, const RunRecord& run) {
                            store.setTag(run.id, tag);
                            return tagsOf(store, run);
                        };
                    }));
    server.addQuery("runs.untag", changing(workplace, [](Params& params) {
                        const std::string key = params.text("key");
                        return [key](RunStore& store, const RunRecord& run) {
                            if (!store.removeTag(run.id, key))
                                throw Error(ErrorKind::not_found,
                                            fmt::format("run {} has no tag \"{}\"", run.id, printable(key)));
                            return tagsOf(store, run);
                        };
                    }));
    server.addQuery("runs.note", changing(workplace, [](Params& params) {
                        const std::string text = params.text("text");
                        return [text](RunStore& store, const RunRecord& run) {
                            store.setNote(run.id, text);
                            return ordered_json{{"note", text}};
                        };
                    }));
}

/// A deleted run comes back: one of ours out of the trash, an imported one by being read again.
void restore(RunStore& store, const RunRecord& run) {
    if (!run.deleted_ms)
        throw Error(ErrorKind::invalid_argument, fmt::format("run {} is not deleted", run.id));
    if (!run.imported) {
        store.restoreRun(run.id);
        return;
    }
    RunStore::ImportedRun found = readRunFolder(run.folder, {});
    for (const ExperimentRecord& experiment : store.experiments())
        if (experiment.id == run.experiment)
            found.run.experiment = experiment.name;
    store.importRun(found);
}

}  // namespace

void addRunMessages(engine::Server& server, Workplace& workplace) {
    const auto add = [&](const char* method, ordered_json (*answer)(const Workplace&, const ordered_json&)) {
        server.addQuery(
            method, [&workplace, answer](const ordered_json& params) { return answer(workplace, params); });
    };
    add("runs.list", list);
    add("runs.show", show);
    add("runs.compare", compare);
    add("runs.metrics", metrics);
    addTags(server, workplace);
    server.addQuery("runs.delete", changing(workplace, [](Params&) {
                        return [](RunStore& store, const RunRecord& run) {
                            return ordered_json{{"trash", store.deleteRun(run.id).native()}};
                        };
                    }));
    server.addQuery("runs.restore", changing(workplace, [](Params&) {
                        return [](RunStore& store, const RunRecord& run) {
                            restore(store, run);
                            return ordered_json{{"folder", run.folder.native()}};
                        };
                    }));
}

}  // namespace spd::cli
