#pragma once

#include <QString>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace spd {

/// A generated token with what the model thought there, before temperature and cuts; nats.
struct PreviewToken {
    int32_t id = 0;
    QString text;
    double logprob = 0;
    double entropy = 0;
    double kl_to_base = 0;
    QString top;  ///< the ten likeliest, a line each
};

struct PreviewPaneValues {
    QString intervention;  ///< what the engine says is active; empty: not said yet
    std::vector<PreviewToken> tokens;
    QString finish;  ///< "stop", "length"; empty: still at it
};

/// What a job `preview` has said so far (PROTOCOL.md).
class PreviewValues {
public:
    void begin(size_t panes);
    /// One item of its output. @return the pane that changed; nothing: the prompt, or an item that is not
    /// ours
    std::optional<size_t> take(const nlohmann::ordered_json& item);

    const QString& prompt() const { return prompt_; }
    int64_t promptTokens() const { return prompt_tokens_; }
    const std::vector<PreviewPaneValues>& panes() const { return panes_; }

private:
    QString prompt_;
    int64_t prompt_tokens_ = 0;
    std::vector<PreviewPaneValues> panes_;
};

/// The first token of `pane` that differs from that of `other` at the same place; also where one has ended
/// and the other goes on. Nothing while all that both have is equal.
std::optional<int> firstDivergence(const PreviewPaneValues& pane, const PreviewPaneValues& other);

/// "84 tok, stop"; with a base, "mean KL 0.12".
QString summaryOf(const PreviewPaneValues& pane);

}  // namespace spd
