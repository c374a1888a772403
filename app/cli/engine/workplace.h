#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/common_options.h"
#include "core/engine/event_log.h"
#include "core/pipeline/resident_model.h"
#include "core/text/chat_template.h"

namespace spd::cli {

/// The text side of a model.
struct ModelText {
    ModelLocation location;
    Tokenizer tokenizer;
    std::optional<ChatTemplate> chat;
};

/// What the answers of an engine share. text() is for the thread that answers queries, useModel() and
/// releaseModel() for the one that does the jobs; the rest is thread-safe.
class Workplace {
public:
    /// `events` must outlive this.
    Workplace(CommonOptions common, engine::EventLog& events);

    const CommonOptions& common() const { return common_; }
    const std::filesystem::path& workspace() const { return common_.workspace; }
    void emit(const std::string& event, const nlohmann::ordered_json& params) {
        events_.append(event, params);
    }

    /// Read once, and again when its tokenizer.json is another. The reference is good until the next call.
    /// @throws Error as locateModel(), Tokenizer::open(), ChatTemplate::open()
    const ModelText& text(const std::string& model);

    /// The one model in memory, kept for the next job on the same checkpoint.
    /// @throws Error as Session::open(); what `work` throws
    void useModel(const std::string& model, const JobContext& context,
                  const std::function<void(ResidentModel&)>& work);
    /// For a job that holds weights itself.
    void releaseModel();
    /// @return false when a job computes with it
    bool unloadModel();
    /// {"model","revision","dtype","bytes"}, or null: what weights are in memory.
    nlohmann::ordered_json modelState() const;

    /// Folders outside of workspace and cache that models were opened from, the last one first.
    std::vector<std::filesystem::path> recentModels() const;
    void noteModel(const ModelLocation& location);

private:
    void modelChanged();

    CommonOptions common_;
    engine::EventLog& events_;
    std::optional<ModelText> text_;
    std::string text_stamp_;  // of text_'s tokenizer.json
    std::mutex model_mutex_;  // held while a job computes with model_
    std::optional<ResidentModel> model_;
    std::string model_name_;  // what model_ was asked for by
    mutable std::mutex state_mutex_;
    nlohmann::ordered_json model_state_;
};

}  // namespace spd::cli
