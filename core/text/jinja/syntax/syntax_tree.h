#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/text/jinja/runtime/operators.h"

/// The syntax tree of a template: what Jinja's grammar gives, without the constructs that are refused.
/// Names are numbers into Template::names. Every node knows its line and its depth; the parser refuses trees
/// deeper than max_parse_depth, so walking and destroying one needs little stack.
namespace spd::jinja {

using NameId = uint32_t;
struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct CallArguments {
    std::vector<ExpressionPtr> positional;
    std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Constant {
    Value value;
};
struct Name {
    NameId id;
};
struct Attribute {  // object.name
    ExpressionPtr object;
    std::string name;
};
struct Subscript {  // object[index]
    ExpressionPtr object, index;
};
struct Slice {  // object[start:stop:step]; absent parts are null
    ExpressionPtr object, start, stop, step;
};
struct Call {
    ExpressionPtr callee;
    CallArguments arguments;
};
struct Filter {  // input is null only as a block set's filter
    ExpressionPtr input;
    std::string name;
    CallArguments arguments;
};
struct Test {
    ExpressionPtr input;
    std::string name;
    CallArguments arguments;
};
struct Unary {
    enum class Operator : uint8_t { logical_not, negate, plus } op;
    ExpressionPtr operand;
};
struct Arithmetic {
    ArithmeticOperator op;
    ExpressionPtr left, right;
};
struct Logical {  // a and b and c, a or b or c
    bool is_and;
    std::vector<ExpressionPtr> operands;
};
struct Comparison {  // first op1 e1 op2 e2, as Python chains them
    ExpressionPtr first;
    std::vector<std::pair<ComparisonOperator, ExpressionPtr>> rest;
};
struct Concatenation {  // a ~ b ~ c
    std::vector<ExpressionPtr> operands;
};
struct Conditional {  // when_true if condition else when_false; when_false may be null
    ExpressionPtr condition, when_true, when_false;
};
struct SequenceLiteral {
    bool is_tuple;
    std::vector<ExpressionPtr> items;
};
struct DictLiteral {
    std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};

struct Expression {
    using Node =
        std::variant<Constant, Name, Attribute, Subscript, Slice, Call, Filter, Test, Unary, Arithmetic,
                     Logical, Comparison, Concatenation, Conditional, SequenceLiteral, DictLiteral>;
    int line;
    int depth;  // 1 for a leaf
    Node node;
};

struct Statement;
using Block = std::vector<Statement>;

/// What is assigned to: a name, namespace.attribute, or a tuple of targets.
struct Target {
    NameId id = 0;
    std::optional<std::string> attribute;
    std::vector<Target> tuple;
    bool is_tuple = false;
};

struct Data {  // literal text
    std::shared_ptr<const Text> text;
};
struct Print {
    ExpressionPtr value;
};
struct Assign {
    Target target;
    ExpressionPtr value;
};
struct AssignBlock {  // {% set x | filter %}...{% endset %}; the filter may be null
    Target target;
    ExpressionPtr filter;
    Block body;
};
struct If {
    std::vector<std::pair<ExpressionPtr, Block>> branches;
    Block otherwise;
};
struct For {
    Target target;
    ExpressionPtr iterable;
    ExpressionPtr condition;  // may be null
    Block body;
    Block otherwise;
    bool is_recursive;
};
struct MacroStatement {
    NameId id;
    std::vector<NameId> parameters;
    std::vector<ExpressionPtr> defaults;  // of the last parameters
    Block body;
};
struct Generation {  // {% generation %}: a scope of its own, otherwise transparent
    Block body;
};
struct LoopControl {
    bool is_break;
};

struct Statement {
    using Node =
        std::variant<Data, Print, Assign, AssignBlock, If, For, MacroStatement, Generation, LoopControl>;
    int line;
    std::unique_ptr<const Node> node;

    template <typename Kind>
    Statement(int at_line, Kind kind) : line(at_line), node(std::make_unique<const Node>(std::move(kind))) {}
};

struct Template {
    Block body;
    std::vector<std::string> names;  // by NameId
};

}  // namespace spd::jinja
