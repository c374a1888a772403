#include <algorithm>

#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/evaluator/evaluator.h"

namespace spd::jinja {

Value Evaluator::evaluate(const Expression& expression) {
    const Nesting nesting(*this);
    line_ = expression.line;
    return std::visit([this](const auto& node) { return evaluateNode(node); }, expression.node);
}

Value Evaluator::evaluateNode(const Name& node) {
    if (const Value* value = findVariable(node.id))
        return *value;
    const std::string& name = source_.names[node.id];
    if (const Builtin global = findGlobal(name))
        return Value(std::make_shared<const BoundBuiltin>(BoundBuiltin{name, global, Value()}));
    // Jinja knows these; undefined would render something else.
    for (const std::string_view known :
         {"lipsum", "cycler", "joiner", "self", "super", "caller", "varargs", "kwargs"})
        if (name == known)
            throw Fault("the global '" + name + "' is not supported");
    return Value(Undefined{&name});
}

Value Evaluator::evaluateNode(const Attribute& node) {
    return getAttribute(runtime_, evaluate(node.object), node.name);
}

Value Evaluator::evaluateNode(const Subscript& node) {
    const Value object = evaluate(node.object);
    Value item = getItem(runtime_, object, evaluate(node.index));
    const auto* constant = std::get_if<Constant>(&node.index->node);
    if (item.isUndefined() && constant && constant->value.asText())
        return Value(Undefined{&constant->value.asText()->bytes});
    return item;
}

Value Evaluator::evaluateNode(const Slice& node) {
    const Value object = evaluate(node.object);
    const auto part = [this](const ExpressionPtr& expression) {
        return expression ? evaluate(expression) : Value(None{});
    };
    const Value start = part(node.start);
    const Value stop = part(node.stop);
    return slice(runtime_, object, start, stop, part(node.step));
}

Value Evaluator::evaluateNode(const Call& node) {
    const Value callee = evaluate(node.callee);
    const int line = line_;
    const Arguments arguments = evaluateArguments(node.arguments);
    line_ = line;
    return call(callee, arguments);
}

Value Evaluator::evaluateNode(const Filter& node) {
    const Value input = node.input ? evaluate(node.input) : *captured_text_;
    const Arguments arguments = evaluateArguments(node.arguments);
    return findFilter(node.name)(runtime_, input, arguments);
}

Value Evaluator::evaluateNode(const Test& node) {
    const Value input = evaluate(node.input);
    const Arguments arguments = evaluateArguments(node.arguments);
    return Value(findTest(node.name)(runtime_, input, arguments));
}

Value Evaluator::evaluateNode(const Unary& node) {
    const Value operand = evaluate(node.operand);
    if (node.op == Unary::Operator::logical_not)
        return Value(!isTrue(operand));
    return negate(operand, node.op == Unary::Operator::negate);
}

Value Evaluator::evaluateNode(const Arithmetic& node) {
    const Value left = evaluate(node.left);
    return arithmetic(runtime_, node.op, left, evaluate(node.right));
}

Value Evaluator::evaluateNode(const Logical& node) {
    Value value;
    for (const ExpressionPtr& operand : node.operands) {
        value = evaluate(operand);
        if (isTrue(value) != node.is_and)
            break;
    }
    return value;
}

Value Evaluator::evaluateNode(const Comparison& node) {
    Value left = evaluate(node.first);
    for (const auto& [op, operand] : node.rest) {
        Value right = evaluate(operand);
        if (!compare(runtime_, op, left, right))
            return Value(false);
        left = std::move(right);
    }
    return Value(true);
}

Value Evaluator::evaluateNode(const Concatenation& node) {
    TextBuilder out(runtime_.meter);
    for (const ExpressionPtr& operand : node.operands)
        out.append(toText(runtime_.meter, evaluate(operand)));
    return Value::text(out.take());
}

Value Evaluator::evaluateNode(const Conditional& node) {
    if (isTrue(evaluate(node.condition)))
        return evaluate(node.when_true);
    return node.when_false ? evaluate(node.when_false) : Value();
}

Value Evaluator::evaluateNode(const SequenceLiteral& node) {
    std::vector<Value> items;
    for (const ExpressionPtr& item : node.items)
        items.push_back(evaluate(item));
    return makeSequence(node.is_tuple ? Sequence::Kind::tuple : Sequence::Kind::list, std::move(items));
}

Value Evaluator::evaluateNode(const DictLiteral& node) {
    Dict dict;
    for (const auto& [key_node, value_node] : node.items) {
        const Value key = evaluate(key_node);
        setItem(runtime_.meter, dict, key, evaluate(value_node));
    }
    return makeDict(std::move(dict));
}

Arguments Evaluator::evaluateArguments(const CallArguments& arguments) {
    Arguments values;
    for (const ExpressionPtr& argument : arguments.positional)
        values.positional.push_back(evaluate(argument));
    for (const auto& [name, argument] : arguments.named)
        values.named.emplace_back(name, evaluate(argument));
    return values;
}

Value Evaluator::call(const Value& callee, const Arguments& arguments) {
    if (const auto* builtin = callee.get<std::shared_ptr<const BoundBuiltin>>())
        return (*builtin)->function(runtime_, (*builtin)->self, arguments);
    if (const auto* undefined = callee.get<Undefined>())
        throw Fault(undefined->name ? "unknown function or method '" + *undefined->name + "'"
                                    : "a value that is undefined is called");
    const CallLevel level(*this);
    if (const auto* macro = callee.get<std::shared_ptr<const Macro>>())
        return callMacro(**macro, arguments);
    if (const auto* loop = callee.get<std::shared_ptr<LoopState>>())
        return callLoop(**loop, arguments);
    throw Fault("a value of type " + typeName(callee) + " cannot be called");
}

Value Evaluator::callMacro(const Macro& macro, const Arguments& arguments) {
    const MacroStatement& definition = *macro.definition;
    const Inner inner(*this, macro.scope);
    bindParameters(definition, arguments);
    return Value::text(capture([&] { run(definition.body); }));
}

/// Missing arguments take their default, which may name the parameters before it, or are undefined.
void Evaluator::bindParameters(const MacroStatement& macro, const Arguments& arguments) {
    const std::string& name = source_.names[macro.id];
    if (arguments.positional.size() > macro.parameters.size())
        throw Fault("the macro '" + name + "' takes at most " + std::to_string(macro.parameters.size()) +
                    " arguments");
    for (const auto& [key, value] : arguments.named)
        if (std::none_of(macro.parameters.begin(), macro.parameters.end(),
                         [&](NameId id) { return source_.names[id] == key; }))
            throw Fault("the macro '" + name + "' has no argument '" + key + "'");
    const size_t required = macro.parameters.size() - macro.defaults.size();
    for (size_t i = 0; i < macro.parameters.size(); ++i) {
        const std::string& parameter = source_.names[macro.parameters[i]];
        const auto named = std::find_if(arguments.named.begin(), arguments.named.end(),
                                        [&](const auto& entry) { return entry.first == parameter; });
        const bool is_named = named != arguments.named.end();
        if (i < arguments.positional.size() && is_named)
            throw Fault("the macro '" + name + "' got the argument '" + parameter + "' twice");
        if (i < arguments.positional.size())
            setVariable(macro.parameters[i], arguments.positional[i]);
        else if (is_named)
            setVariable(macro.parameters[i], named->second);
        else
            setVariable(macro.parameters[i],
                        i < required ? Value(Undefined{&parameter}) : evaluate(macro.defaults[i - required]));
    }
}

/// loop(items) inside a recursive loop: its body for other items, as a text.
Value Evaluator::callLoop(const LoopState& loop, const Arguments& arguments) {
    if (!loop.statement)
        throw Fault("a loop is called that is not marked 'recursive'");
    if (arguments.positional.size() != 1 || !arguments.named.empty())
        throw Fault("loop() takes one argument");
    const Inner inner(*this, loop.scope);
    return Value::text(capture([&] { runLoop(*loop.statement, arguments.positional[0], loop.depth + 1); }));
}

}  // namespace spd::jinja
