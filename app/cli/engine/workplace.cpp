#include "app/cli/engine/workplace.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/io/memory_forecast.h"
#include "core/text/unicode/utf8.h"

namespace spd::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr size_t kMostRecent = 20;
constexpr size_t kMostRecentBytes = size_t{1} << 20;

fs::path recentFile(const fs::path& workspace) {
    return workspace / "engine/recent_models.json";
}

/// Where, which and how large: another one is read again.
std::string stampOf(const ModelLocation& location) {
    const fs::path file = location.folder / "tokenizer.json";
    std::error_code missing;
    const auto time = fs::last_write_time(file, missing).time_since_epoch().count();
    return fmt::format("{} {} {}", location.folder.native(), time, fs::file_size(file, missing));
}

/// Whether the checkpoint's files are still those that were opened.
bool isUnchanged(const Session& session) {
    try {
        session.checkpoint.checkUnchanged();
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

Workplace::Workplace(CommonOptions common, engine::EventLog& events)
    : common_(std::move(common)), events_(events) {}

const ModelText& Workplace::text(const std::string& model) {
    const ModelLocation location = locateModel(model, workspace());
    const std::string stamp = stampOf(location);
    if (!text_ || text_stamp_ != stamp) {
        text_.reset();
        text_.emplace(
            ModelText{location, Tokenizer::open(location.folder), ChatTemplate::open(location.folder)});
        text_stamp_ = stamp;
    }
    return *text_;
}

void Workplace::useModel(const std::string& model, const JobContext& context,
                         const std::function<void(ResidentModel&)>& work) {
    const std::scoped_lock lock(model_mutex_);
    if (model_ && (model_name_ != model || !isUnchanged(model_->session()))) {
        model_->release();
        model_.reset();
    }
    if (!model_) {
        model_.emplace(Session::open(model, workspace(), context), chosenThreads(common_));
        model_->onChange([this] { modelChanged(); });
        model_name_ = model;
        noteModel(model_->session().location);
    }
    work(*model_);
}

void Workplace::releaseModel() {
    const std::scoped_lock lock(model_mutex_);
    if (model_)
        model_->release();
}

bool Workplace::unloadModel() {
    const std::unique_lock lock(model_mutex_, std::try_to_lock);
    if (!lock)
        return false;
    if (model_)
        model_->release();
    model_.reset();
    return true;
}

void Workplace::modelChanged() {
    ordered_json state;
    if (const std::optional<DType> dtype = model_->held()) {
        const Session& session = model_->session();
        state = {{"model", printable(session.location.id, 4096)},
                 {"revision", session.location.revision},
                 {"dtype", name(*dtype)},
                 {"bytes", parameterCount(session.checkpoint.config()) * bytesPerElement(*dtype)}};
    }
    {
        const std::scoped_lock lock(state_mutex_);
        model_state_ = state;
    }
    emit("model.changed", {{"model", state}});
}

ordered_json Workplace::modelState() const {
    const std::scoped_lock lock(state_mutex_);
    return model_state_;
}

std::vector<fs::path> Workplace::recentModels() const {
    const std::scoped_lock lock(state_mutex_);
    std::vector<fs::path> folders;
    try {
        const fs::path file = recentFile(workspace());
        for (const ordered_json& folder :
             parseStrictJson(readFile(file, kMostRecentBytes), file.native(), {}))
            if (folder.is_string())
                folders.emplace_back(folder.get<std::string>());
    } catch (const Error&) {  // none yet, or unreadable: nothing that anyone would miss
    }
    return folders;
}

void Workplace::noteModel(const ModelLocation& location) {
    const fs::path folder = fs::absolute(location.folder).lexically_normal();
    const bool is_named =
        !location.revision.empty() || folder.native().starts_with((workspace() / "models").native());
    if (is_named || unicode::validPrefix(folder.native()) != folder.native().size())
        return;
    std::vector<fs::path> folders = recentModels();
    if (!folders.empty() && folders.front() == folder)
        return;
    std::erase(folders, folder);
    folders.insert(folders.begin(), folder);
    folders.resize(std::min(folders.size(), kMostRecent));
    ordered_json list = ordered_json::array();
    for (const fs::path& each : folders)
        list.push_back(each.native());
    const std::scoped_lock lock(state_mutex_);
    try {
        writeFileAtomically(recentFile(workspace()), list.dump() + "\n");
    } catch (const Error&) {  // a full disk must not keep a model from being looked at
    }
}

}  // namespace spd::cli
