// spd runs tag, note, delete.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/cli/runs/runs_commands.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kRunHelp = "Its id or name, or how they begin";

struct TagRequest {
    std::string run;
    std::vector<std::string> tags;
    bool remove = false;
};

/// "key=value" or "key". @throws Error invalid_argument
KeyValue parseTag(const std::string& text) {
    const size_t equals = text.find('=');
    KeyValue tag{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
    if (tag.key.empty())
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("\"{}\": a tag is KEY or KEY=VALUE", printable(text)));
    return tag;
}

int tagRun(const TagRequest& request, const CommonOptions& common) {
    std::vector<KeyValue> tags;
    for (const std::string& text : request.tags)
        tags.push_back(parseTag(text));
    RunStore store = openStore(common);
    const RunRecord run = store.findRun(request.run);
    for (const KeyValue& tag : tags) {
        if (!request.remove)
            store.setTag(run.id, tag);
        else if (!store.removeTag(run.id, tag.key))
            throw Error(ErrorKind::not_found,
                        fmt::format("run {} has no tag \"{}\"", run.id, printable(tag.key)));
    }
    const std::vector<KeyValue> all = store.tags(run.id);
    if (common.json) {
        printJson({{"id", run.id}, {"tags", toJson(all)}});
        return 0;
    }
    std::string text;
    for (const KeyValue& tag : all)
        text +=
            fmt::format(" {}{}{}", printable(tag.key), tag.value.empty() ? "" : "=", printable(tag.value));
    std::cout << fmt::format("{} {}:{}\n", run.id, printable(run.name), text.empty() ? " no tags" : text);
    return 0;
}

int noteRun(const std::string& text, const std::string& note, const CommonOptions& common) {
    RunStore store = openStore(common);
    const RunRecord run = store.findRun(text);
    store.setNote(run.id, note);
    if (common.json)
        printJson({{"id", run.id}, {"note", note}});
    else
        std::cout << fmt::format("{} {}: {}\n", run.id, printable(run.name),
                                 note.empty() ? "no note" : printable(note));
    return 0;
}

/// What brings the run back, for people.
std::string restoreText(const RunRecord& run, const std::filesystem::path& trash) {
    if (run.imported)
        return fmt::format("its files stay in {}; importing that again brings it back",
                           printable(run.folder.native(), 1000));
    if (trash.empty())
        return "it had no files any more";
    const std::filesystem::path moved = trash / run.folder.filename();
    std::string text = fmt::format("moved to {}; to have it again, move it back to {}",
                                   printable(moved.native(), 1000), printable(run.folder.native(), 1000));
    if (std::filesystem::exists(trash / "shared"))
        text += fmt::format(" and what is in {} to {}", printable((trash / "shared").native(), 1000),
                            printable((run.folder.parent_path().parent_path() / "shared").native(), 1000));
    return text;
}

int deleteRuns(const std::vector<std::string>& texts, const CommonOptions& common) {
    RunStore store = openStore(common);
    std::vector<RunRecord> runs;
    for (const std::string& text : texts)
        runs.push_back(store.findRun(text));
    ordered_json rows = ordered_json::array();
    for (const RunRecord& run : runs) {
        const std::filesystem::path trash = store.deleteRun(run.id);
        rows.push_back(
            {{"id", run.id}, {"name", run.name}, {"folder", run.folder.native()}, {"trash", trash.native()}});
        if (!common.json)
            std::cout << fmt::format("{} {}: deleted; {}\n", run.id, printable(run.name),
                                     restoreText(run, trash));
    }
    if (common.json)
        printJson(rows);
    return 0;
}

}  // namespace

void addRunsTag(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<TagRequest>();
    CLI::App* command = runs.add_subcommand("tag", "Set or remove tags of a run");
    addCommonOptions(*command, common);
    command->add_option("RUN", request->run, kRunHelp)->required();
    command->add_option("TAG", request->tags, "KEY or KEY=VALUE")->required();
    command->add_flag("--remove", request->remove, "Remove them");
    command->callback([request, &chosen] {
        chosen = [request](const CommonOptions& options, const JobContext&) {
            return tagRun(*request, options);
        };
    });
}

void addRunsNote(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto run = std::make_shared<std::string>();
    auto note = std::make_shared<std::string>();
    CLI::App* command =
        runs.add_subcommand("note", "Write a note about a run, in the place of the one it has");
    addCommonOptions(*command, common);
    command->add_option("RUN", *run, kRunHelp)->required();
    command->add_option("TEXT", *note, "The note; \"\" takes it away")->required();
    command->callback([run, note, &chosen] {
        chosen = [run, note](const CommonOptions& options, const JobContext&) {
            return noteRun(*run, *note, options);
        };
    });
}

void addRunsDelete(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto texts = std::make_shared<std::vector<std::string>>();
    CLI::App* command = runs.add_subcommand(
        "delete", "Move runs to the workspace's trash folder; what other runs share stays");
    addCommonOptions(*command, common);
    command->add_option("RUN", *texts, "Ids or names, or how they begin")->required();
    command->callback([texts, &chosen] {
        chosen = [texts](const CommonOptions& options, const JobContext&) {
            return deleteRuns(*texts, options);
        };
    });
}

}  // namespace spd::cli
