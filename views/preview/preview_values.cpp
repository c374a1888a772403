#include "views/preview/preview_values.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>
#include <cmath>

#include "views/shared/answers/fields.h"
#include "views/shared/numbers.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("spd::Preview", text);
}

QString topOf(const ordered_json& token) {
    QStringList lines;
    const auto top = token.find("top");
    if (top == token.end() || !top->is_array())
        return {};
    for (const ordered_json& one : *top)
        if (one.is_object())
            lines << QStringLiteral("%1  %2").arg(
                formatPercent(std::exp(numberAt(one, "logprob"))),
                textAt(one, "text").replace(u'\n', QStringLiteral("\u21B5")));
    return lines.join(u'\n');
}

PreviewToken tokenOf(const ordered_json& token) {
    return {.id = static_cast<int32_t>(numberAt(token, "id")),
            .text = textAt(token, "text"),
            .logprob = numberAt(token, "logprob"),
            .entropy = numberAt(token, "entropy"),
            .kl_to_base = numberAt(token, "kl_to_base"),
            .top = topOf(token)};
}

}  // namespace

void PreviewValues::begin(size_t panes) {
    *this = {};
    panes_.resize(panes);
}

std::optional<size_t> PreviewValues::take(const ordered_json& item) {
    if (!item.is_object())
        return std::nullopt;
    if (item.contains("prompt")) {
        prompt_ = textAt(item, "prompt");
        prompt_tokens_ = static_cast<int64_t>(numberAt(item, "prompt_tokens"));
        return std::nullopt;
    }
    const double number = item.contains("pane") ? numberAt(item, "pane") : -1;
    if (!(number >= 0 && number < static_cast<double>(panes_.size())))
        return std::nullopt;
    const auto index = static_cast<size_t>(number);
    PreviewPaneValues& pane = panes_[index];
    if (item.contains("intervention"))
        pane.intervention = textAt(item, "intervention");
    if (item.contains("finish_reason"))
        pane.finish = textAt(item, "finish_reason");
    if (const auto tokens = item.find("tokens"); tokens != item.end() && tokens->is_array())
        for (const ordered_json& token : *tokens)
            if (token.is_object())
                pane.tokens.push_back(tokenOf(token));
    return index;
}

std::optional<int> firstDivergence(const PreviewPaneValues& pane, const PreviewPaneValues& other) {
    const size_t both = std::min(pane.tokens.size(), other.tokens.size());
    for (size_t i = 0; i < both; ++i)
        if (pane.tokens[i].id != other.tokens[i].id)
            return static_cast<int>(i);
    const bool other_ended = !other.finish.isEmpty() && pane.tokens.size() > other.tokens.size();
    return other_ended ? std::optional(static_cast<int>(both)) : std::nullopt;
}

QString summaryOf(const PreviewPaneValues& pane) {
    if (pane.tokens.empty())
        return {};
    double kl = 0;
    for (const PreviewToken& token : pane.tokens)
        kl += token.kl_to_base / static_cast<double>(pane.tokens.size());
    const QString end = pane.finish.isEmpty() ? QStringLiteral("\u2026") : pane.finish;
    return tr("%1 tok, %2, mean KL to base %3").arg(pane.tokens.size()).arg(end, formatNumber(kl));
}

}  // namespace spd
