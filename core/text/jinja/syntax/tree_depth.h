#pragma once

#include "core/text/jinja/syntax/syntax_tree.h"

namespace spd::jinja {

/// The depth of the deepest child; 0 for a leaf.
int depthOfChildren(const Expression::Node& node);

}  // namespace spd::jinja
