#include "core/text/jinja/syntax/tree_depth.h"

#include <algorithm>

namespace spd::jinja {
namespace {

int depthOf(const ExpressionPtr& expression) {
    return expression ? expression->depth : 0;
}
int depthOf(const std::vector<ExpressionPtr>& expressions) {
    int depth = 0;
    for (const auto& expression : expressions)
        depth = std::max(depth, depthOf(expression));
    return depth;
}
int depthOf(const CallArguments& arguments) {
    int depth = depthOf(arguments.positional);
    for (const auto& [name, value] : arguments.named)
        depth = std::max(depth, depthOf(value));
    return depth;
}

struct ChildDepth {
    int operator()(const Constant&) const { return 0; }
    int operator()(const Name&) const { return 0; }
    int operator()(const Attribute& node) const { return depthOf(node.object); }
    int operator()(const Subscript& node) const {
        return std::max(depthOf(node.object), depthOf(node.index));
    }
    int operator()(const Slice& node) const {
        return std::max({depthOf(node.object), depthOf(node.start), depthOf(node.stop), depthOf(node.step)});
    }
    int operator()(const Call& node) const { return std::max(depthOf(node.callee), depthOf(node.arguments)); }
    int operator()(const Filter& node) const {
        return std::max(depthOf(node.input), depthOf(node.arguments));
    }
    int operator()(const Test& node) const { return std::max(depthOf(node.input), depthOf(node.arguments)); }
    int operator()(const Unary& node) const { return depthOf(node.operand); }
    int operator()(const Arithmetic& node) const { return std::max(depthOf(node.left), depthOf(node.right)); }
    int operator()(const Logical& node) const { return depthOf(node.operands); }
    int operator()(const Comparison& node) const {
        int depth = depthOf(node.first);
        for (const auto& [op, operand] : node.rest)
            depth = std::max(depth, depthOf(operand));
        return depth;
    }
    int operator()(const Concatenation& node) const { return depthOf(node.operands); }
    int operator()(const Conditional& node) const {
        return std::max({depthOf(node.condition), depthOf(node.when_true), depthOf(node.when_false)});
    }
    int operator()(const SequenceLiteral& node) const { return depthOf(node.items); }
    int operator()(const DictLiteral& node) const {
        int depth = 0;
        for (const auto& [key, value] : node.items)
            depth = std::max({depth, depthOf(key), depthOf(value)});
        return depth;
    }
};

}  // namespace

int depthOfChildren(const Expression::Node& node) {
    return std::visit(ChildDepth{}, node);
}

}  // namespace spd::jinja
