#include "core/io/model_locator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/io/hub_cache.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

std::string downloadCommand(const std::string& model) {
    return fmt::format("hf download {}", model);
}

std::string downloadAdvice(const std::string& model, const fs::path& workspace) {
    if (isHubId(model))
        return fmt::format(
            "not a folder, not in the Hugging Face cache ({}) and no model of the workspace; download it "
            "with: {}",
            hubCacheFolder().native(), downloadCommand(model));
    return fmt::format(
        "not a folder and no model in {}; models are named by a folder, a name there, or ORG/NAME "
        "after: hf download ORG/NAME",
        (workspace / "models").native());
}

}  // namespace

ModelLocation locateModel(const std::string& model, const fs::path& workspace) {
    std::error_code error;
    if (!model.empty() && fs::is_directory(model, error)) {
        const std::optional<ModelLocation> snapshot = describeSnapshot(model);
        return snapshot ? *snapshot : ModelLocation{model, fs::path(model).lexically_normal().native(), ""};
    }
    if (isHubId(model))
        if (const std::optional<ModelLocation> found = findInHubCache(model))
            return *found;
    const fs::path name(model);
    const bool plain_name =
        !model.empty() && name.is_relative() &&
        std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
    if (plain_name && fs::is_directory(workspace / "models" / name, error))
        return {workspace / "models" / name, model, ""};
    Error missing(ErrorKind::not_found, fmt::format("{}: {}", printable(model, 1000),
                                                    printable(downloadAdvice(model, workspace), 2000)));
    if (isHubId(model))
        missing.withDetails({downloadCommand(model)});
    throw missing;
}

fs::path defaultWorkspace() {
    const char* data = std::getenv("XDG_DATA_HOME");
    if (data != nullptr && fs::path(data).is_absolute())
        return fs::path(data) / "spd-workbench";
    return homeFolder() / ".local/share/spd-workbench";
}

}  // namespace spd
