#include "core/export/projection_hook.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/export/hook/hook_files.h"
#include "core/io/model_locator.h"
#include "core/pipeline/session.h"
#include "core/subspace/subspace_folder.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

constexpr size_t most_hook_bytes = size_t{1} << 20;
constexpr std::string_view sign = "as SPD Workbench does";  // by which a file of ours is known

/// @return the text of the hook that is to be replaced; empty: none. @throws Error invalid_argument
std::string checkOut(const HookExportRequest& request) {
    const std::string shown = printable(request.out.native(), 1000);
    const std::string stem = request.out.stem();
    const bool plain = printable(stem) == stem && stem.find_first_of("\"'\\") == std::string::npos;
    if (request.out.extension() != ".py" || stem.empty() || !plain)
        throw Error(ErrorKind::invalid_argument, "--out " + shown + ": must be a file name that ends in .py");
    std::error_code error;
    if (!fs::exists(request.out, error))
        return "";
    if (!request.overwrite)
        throw Error(ErrorKind::invalid_argument, shown + ": exists; --overwrite replaces it");
    std::string old = readFile(request.out, most_hook_bytes);
    if (old.find(sign) == std::string::npos)
        throw Error(ErrorKind::invalid_argument, shown + ": is no exported hook, and is not replaced");
    return old;
}

/// @throws Error file_format
void requireRecorded(const Projection& projection, const HookExportRequest& request) {
    if (!request.recorded.is_null() && projection.record != request.recorded)
        throw Error::fileFormat(request.intervention.subspace.native(), "",
                                "gives another projection today than the run recorded");
}

/// The model that is named, else the one that was measured where it is found: by its config.json, as another
/// may have its name today.
std::optional<CheckModel> findModel(const HookExportRequest& request, const Subspace& subspace,
                                    std::string& why_not, const JobContext& context) {
    if (!request.base.empty()) {
        const fs::path folder = locateModel(request.base, request.workspace).folder;
        std::optional<CheckModel> model = openCheckModel(folder, /*required=*/true, why_not, context);
        checkMeasuredOn(subspace, request.intervention.subspace, model->checkpoint, request.on_warning);
        return model;
    }
    try {
        const fs::path folder = locateModel(subspace.model_id, request.workspace).folder;
        std::optional<CheckModel> model = openCheckModel(folder, /*required=*/false, why_not, context);
        if (!model || configSha256(model->checkpoint) == subspace.config_sha256)
            return model;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found)
            throw;
    }
    why_not = fmt::format("the measured model, {}, is not found here", printable(subspace.model_id));
    return std::nullopt;
}

/// New maps that no Python file names yet: they go again where the export fails.
class NewMatrices {
public:
    NewMatrices(fs::path path, const HookMaps& maps) : path_(std::move(path)) {
        std::error_code error;
        is_new_ = !fs::exists(path_, error);  // else the same values are there already
        writeHookMaps(path_, maps);
    }
    NewMatrices(const NewMatrices&) = delete;
    NewMatrices& operator=(const NewMatrices&) = delete;
    ~NewMatrices() {
        if (is_new_)
            ::unlink(path_.c_str());
    }
    const fs::path& path() const { return path_; }
    void keep() { is_new_ = false; }

private:
    fs::path path_;
    bool is_new_ = false;
};

/// Reads the maps again, through the text that will name them. @throws Error internal; Cancelled
void compareFiles(const std::string& text, const NewMatrices& matrices, const HookMaps& maps,
                  Projection projection, const std::optional<CheckModel>& model, const JobContext& context,
                  HookExportSummary& summary) {
    const fs::path folder = matrices.path().parent_path();
    Projection read = readHook(text, folder.empty() ? "." : folder);
    if (hookMapsOf(read) != maps)
        throw Error(ErrorKind::internal,
                    matrices.path().native() + ": was written and read again, and differs");
    if (!model)
        return;
    // As the Python code does it: folded weights round elsewhere, and a large strength makes that large.
    projection.apply = ProjectApply::activation;
    summary.logits = compareLogits(*model, {std::move(projection), {}}, {std::move(read), {}}, context);
    requireSameLogits(*summary.logits, "the exported maps differ from those of the projection");
}

}  // namespace

HookExportSummary exportHook(const HookExportRequest& request, const JobContext& context) {
    const std::string replaced = checkOut(request);
    const InterventionRequest& intervention = request.intervention;
    const Subspace subspace = readSubspace(intervention.subspace);
    Projection projection =
        selectProjection(subspace, subspaceSha256(intervention.subspace), intervention.projection);
    requireRecorded(projection, request);
    for (const std::string& warning : projection.warnings)
        if (request.on_warning)
            request.on_warning(warning);
    HookExportSummary summary;
    const std::optional<CheckModel> model = findModel(request, subspace, summary.not_compared, context);

    const HookMaps maps = hookMapsOf(projection);
    NewMatrices matrices(hookMatrices(request.out, maps), maps);
    const std::string text = hookText(request.out, matrices.path(), projection, subspace);
    compareFiles(text, matrices, maps, std::move(projection), model, context, summary);
    writeFileAtomically(request.out, text);
    matrices.keep();
    if (readFile(request.out, most_hook_bytes) != text)
        throw Error(ErrorKind::internal, request.out.native() + ": was written and read again, and differs");
    removeOldMatrices(request.out, replaced, matrices.path().filename());
    summary.matrices = matrices.path();
    summary.targets = static_cast<int64_t>(maps.size());
    return summary;
}

}  // namespace spd
