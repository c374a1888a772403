// spd runs check: reads the whole database and says whether it is sound.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/cli/runs/runs_commands.h"

namespace spd::cli {
namespace {

int checkStore(const CommonOptions& common) {
    const RunStore store = openStore(common);
    const std::vector<std::string> problems = store.checkIntegrity();
    if (!problems.empty()) {
        const std::string more =
            problems.size() > 1 ? fmt::format(" (and {} more; --json lists them)", problems.size() - 1) : "";
        throw Error::fileFormat(store.path().native(), "", problems[0] + more).withDetails(problems);
    }
    const size_t runs = store.runs("", /*with_deleted=*/true).size();
    if (common.json)
        printJson({{"file", store.path().native()}, {"sound", true}, {"runs", runs}});
    else
        std::cout << fmt::format("{}: sound, {} runs\n", printable(store.path().native(), 1000), runs);
    return 0;
}

}  // namespace

void addRunsCheck(CLI::App& runs, CommonOptions& common, Command& chosen) {
    CLI::App* command = runs.add_subcommand("check", "Read the whole database and say whether it is sound");
    addCommonOptions(*command, common);
    command->callback([&chosen] {
        chosen = [](const CommonOptions& options, const JobContext&) { return checkStore(options); };
    });
}

}  // namespace spd::cli
