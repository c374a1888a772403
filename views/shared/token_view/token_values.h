#pragma once

#include <vector>

#include "core/protocol/answers/token_texts.h"
#include "views/shared/token_view/shown_token.h"

namespace spd {

/// @param ranges  [tokens] or empty: characters that each token covers, told in its tooltip
std::vector<ShownToken> shownTokens(const protocol::TokenTexts& tokens,
                                    const std::vector<protocol::CharRange>& ranges = {});

}  // namespace spd
