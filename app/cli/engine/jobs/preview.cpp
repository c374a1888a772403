// The job "preview": one prompt under several interventions, side by side.

#include "core/pipeline/preview.h"

#include <fmt/format.h>

#include <deque>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "core/base/error.h"
#include "core/kernels/kernel_table.h"

namespace spd::cli {
namespace {

using engine::JobChannel;
using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

struct PreviewJob {
    std::string model;
    PreviewRequest request;
};

void readPrompt(Params& params, const ordered_json& json, PreviewRequest& request) {
    request.format.chat = params.flag("chat", false);
    request.format.template_variables = params.object("template_variables");
    request.prompt.messages = json.value("messages", ordered_json());
    if (params.has("prompt"))
        request.prompt.prompt = params.text("prompt");
    if (request.prompt.prompt.has_value() == params.has("messages"))
        throw Refusal(Code::invalid_params, "prompt or messages, one of them");
    const ordered_json id = json.value("id", ordered_json("preview"));
    params.has("id");
    if (id.is_string())
        request.prompt.id = id.get<std::string>();
    else if (id.is_number_integer())
        request.prompt.id = id.get<int64_t>();
    else
        throw Refusal(Code::invalid_params, "id: must be a text or an integer");
}

void readPanes(Params& params, const ordered_json& json, PreviewRequest& request) {
    const ordered_json panes = json.value("panes", ordered_json());
    params.has("panes");
    if (!panes.is_array() || panes.empty() || panes.size() > 4)
        throw Refusal(Code::invalid_params, "panes: must be a list of 1 to 4 objects");
    for (const ordered_json& pane : panes) {
        if (!pane.is_object())
            throw Refusal(Code::invalid_params, "panes: must be a list of 1 to 4 objects");
        Params of_pane(pane);
        request.panes.push_back(interventionOf(of_pane));
        of_pane.refuseOthers();
    }
}

PreviewJob read(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    PreviewJob job;
    job.model = params.text("model");
    readPrompt(params, json, job.request);
    readPanes(params, json, job.request);
    job.request.settings = generationOf(params, std::nullopt, job.model, workplace.workspace());
    job.request.dtype = dtypeOf(params, detectIsa() == Isa::avx512_bf16 ? DType::bfloat16 : DType::float32);
    params.refuseOthers();
    return job;
}

/// Turns what happens into output, each token with the text that it adds to its pane.
class PreviewOutput {
public:
    PreviewOutput(JobChannel& channel, const Tokenizer& tokenizer)
        : channel_(channel), tokenizer_(tokenizer) {}

    PreviewSink sink() {
        return {[this](const PreparedPrompt& prompt, const std::vector<PreviewPane>& panes) {
                    begin(prompt, panes);
                },
                [this](const LockstepToken& token) { add(token); }};
    }

private:
    void begin(const PreparedPrompt& prompt, const std::vector<PreviewPane>& panes) {
        channel_.output({{"prompt", prompt.text}, {"prompt_tokens", prompt.ids.size()}});
        for (const PreviewPane& pane : panes) {
            channel_.output(
                {{"pane", decoders_.size()}, {"intervention", pane.intervention}, {"record", pane.record}});
            decoders_.emplace_back(tokenizer_, /*skip_special_tokens=*/false);
        }
    }

    void add(const LockstepToken& token) {
        std::string text = decoders_[token.pane].add(token.id);
        if (token.ended)
            text += decoders_[token.pane].finish();
        ordered_json top = ordered_json::array();
        for (const auto& [id, logprob] : token.top)
            top.push_back({{"id", id}, {"text", tokenizer_.decode({id}, false)}, {"logprob", logprob}});
        channel_.output({{"pane", token.pane},
                         {"tokens",
                          {{{"id", token.id},
                            {"text", text},
                            {"logprob", token.logprob},
                            {"entropy", token.entropy},
                            {"kl_to_base", token.kl_to_base},
                            {"top", top}}}}});
        if (token.ended)
            channel_.output(
                {{"pane", token.pane},
                 {"finish_reason", token.finish_reason == FinishReason::stop ? "stop" : "length"}});
    }

    JobChannel& channel_;
    const Tokenizer& tokenizer_;
    std::deque<StreamingDecoder> decoders_;
};

ordered_json run(Workplace& workplace, const ordered_json& params, JobChannel& channel,
                 const JobContext& context) {
    PreviewJob job = read(workplace, params);
    job.request.on_warning = [&](const std::string& warning) {
        context.say(fmt::format("warning: {}", warning));
    };
    workplace.useModel(job.model, context, [&](ResidentModel& model) {
        PreviewOutput output(channel, model.session().tokenizer);
        preview(job.request, model, output.sink(), context);
    });
    return ordered_json::object();
}

}  // namespace

void addPreviewJob(engine::Server& server, Workplace& workplace) {
    engine::JobKind kind;
    kind.check = [&workplace](const ordered_json& params) {
        locateModel(read(workplace, params).model, workplace.workspace());
        return params;
    };
    kind.run = [&workplace](const ordered_json& params, JobChannel& channel, const JobContext& context) {
        return run(workplace, params, channel, context);
    };
    server.addJobKind("preview", std::move(kind));
}

}  // namespace spd::cli
