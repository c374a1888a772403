#include "views/shared/token_view/token_values.h"

#include <QCoreApplication>

namespace spd {

std::vector<ShownToken> shownTokens(const protocol::TokenTexts& tokens,
                                    const std::vector<protocol::CharRange>& ranges) {
    std::vector<ShownToken> shown;
    shown.reserve(tokens.ids.size());
    for (size_t i = 0; i < tokens.ids.size(); ++i) {
        shown.push_back({.text = QString::fromStdString(tokens.texts[i]), .id = tokens.ids[i]});
        if (i < ranges.size())
            shown.back().note = QCoreApplication::translate("TokenView", "characters [%1, %2) of the text")
                                    .arg(ranges[i].begin)
                                    .arg(ranges[i].end);
    }
    for (const int64_t position : tokens.special)
        if (position >= 0 && position < std::ssize(shown))
            shown[static_cast<size_t>(position)].special = true;
    return shown;
}

}  // namespace spd
