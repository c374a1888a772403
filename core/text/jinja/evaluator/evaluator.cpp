#include "core/text/jinja/evaluator/evaluator.h"

#include <algorithm>

#include "core/text/jinja/builtins/builtins.h"

namespace spd::jinja {

Evaluator::Evaluator(const Template& source, Runtime& runtime)
    : source_(source), runtime_(runtime), scope_(std::make_shared<Scope>()) {
    const auto found = std::find(source.names.begin(), source.names.end(), "loop");
    loop_id_ =
        static_cast<NameId>(found - source.names.begin());  // one past the end when it is never mentioned
}

Evaluator::~Evaluator() {
    for (const auto& scope : captured_)
        scope->variables.clear();
}

void Evaluator::define(std::string_view name, Value value) {
    const auto found = std::find(source_.names.begin(), source_.names.end(), name);
    if (found != source_.names.end())
        setVariable(static_cast<NameId>(found - source_.names.begin()), std::move(value));
}

Text Evaluator::render() {
    const Inner top(*this);  // what the template sets hides what it was given
    return capture([this] { run(source_.body); });
}

Evaluator::Flow Evaluator::run(const Block& block) {
    for (const Statement& statement : block)
        if (const Flow flow = run(statement); flow != Flow::normal)
            return flow;
    return Flow::normal;
}

Evaluator::Flow Evaluator::run(const Statement& statement) {
    const Nesting nesting(*this);
    line_ = statement.line;
    return std::visit([this](const auto& node) { return runNode(node); }, *statement.node);
}

Evaluator::Flow Evaluator::runNode(const Data& node) {
    out_->append(*node.text);
    return Flow::normal;
}

Evaluator::Flow Evaluator::runNode(const Print& node) {
    emit(evaluate(node.value));
    return Flow::normal;
}

Evaluator::Flow Evaluator::runNode(const Assign& node) {
    assign(node.target, evaluate(node.value));
    return Flow::normal;
}

Evaluator::Flow Evaluator::runNode(const AssignBlock& node) {
    Text text = capture([&] {
        const Inner inner(*this);
        run(node.body);
    });
    Value value = Value::text(std::move(text));
    if (node.filter) {
        const Value* const outer = std::exchange(captured_text_, &value);
        Value filtered = evaluate(node.filter);
        captured_text_ = outer;
        value = std::move(filtered);
    }
    assign(node.target, value);
    return Flow::normal;
}

Evaluator::Flow Evaluator::runNode(const If& node) {
    for (const auto& [condition, body] : node.branches)
        if (isTrue(evaluate(condition)))
            return run(body);
    return run(node.otherwise);
}

Evaluator::Flow Evaluator::runNode(const For& node) {
    return runLoop(node, evaluate(node.iterable), 0);
}

Evaluator::Flow Evaluator::runNode(const MacroStatement& node) {
    captured_.push_back(scope_);
    setVariable(node.id, Value(std::make_shared<const Macro>(Macro{&node, scope_})));
    return Flow::normal;
}

Evaluator::Flow Evaluator::runNode(const Generation& node) {
    const Inner inner(*this);
    run(node.body);
    return Flow::normal;
}

Evaluator::Flow Evaluator::runNode(const LoopControl& node) {
    return node.is_break ? Flow::loop_break : Flow::loop_continue;
}

/// The items that the loop's own condition lets through.
std::shared_ptr<const Sequence> Evaluator::loopItems(const For& node, const Value& iterable) {
    auto items = iterate(runtime_, iterable);
    if (!node.condition)
        return items;
    auto chosen = std::make_shared<Sequence>();
    chosen->depth = items->depth;
    for (const Value& item : items->items) {
        runtime_.meter.step();
        const Inner inner(*this);
        assign(node.target, item);
        if (isTrue(evaluate(node.condition)))
            chosen->items.push_back(item);
    }
    return chosen;
}

Evaluator::Flow Evaluator::runLoop(const For& node, const Value& iterable, int depth) {
    const auto loop = std::make_shared<LoopState>();
    loop->items = loopItems(node, iterable);
    loop->depth = depth;
    if (node.is_recursive) {
        loop->statement = &node;
        loop->scope = scope_;
        captured_.push_back(scope_);
    }
    for (const Value& item : loop->items->items) {
        runtime_.meter.step();
        const Inner inner(*this);
        if (loop_id_ < source_.names.size())
            setVariable(loop_id_, Value(loop));
        assign(node.target, item);
        if (run(node.body) == Flow::loop_break)
            break;
        if (loop->index + 1 < loop->items->items.size())
            ++loop->index;
    }
    if (!loop->items->items.empty())
        return Flow::normal;
    const Inner inner(*this);
    return run(node.otherwise);  // may break the loop around
}

void Evaluator::assign(const Target& target, const Value& value) {
    if (target.attribute)
        return assignAttribute(target, value);
    if (!target.is_tuple)
        return setVariable(target.id, value);
    const auto items = iterate(runtime_, value);
    if (items->items.size() != target.tuple.size())
        throw Fault("cannot unpack " + std::to_string(items->items.size()) + " values into " +
                    std::to_string(target.tuple.size()) + " names");
    for (size_t i = 0; i < target.tuple.size(); ++i)
        assign(target.tuple[i], items->items[i]);
}

void Evaluator::assignAttribute(const Target& target, const Value& value) {
    const Value* variable = findVariable(target.id);
    const auto* space = variable ? variable->get<std::shared_ptr<Namespace>>() : nullptr;
    if (!space)
        throw Fault("'" + source_.names[target.id] + "' is no namespace");
    auto& attributes = (*space)->attributes;
    runtime_.meter.elements(attributes.size());
    for (auto& [name, old] : attributes)
        if (name == *target.attribute) {
            old = value;
            return;
        }
    attributes.emplace_back(*target.attribute, value);
}

void Evaluator::setVariable(NameId id, Value value) {
    runtime_.meter.elements(scope_->variables.size());
    for (auto& [known, old] : scope_->variables)
        if (known == id) {
            old = std::move(value);
            return;
        }
    scope_->variables.emplace_back(id, std::move(value));
}

const Value* Evaluator::findVariable(NameId id) {
    for (const Scope* scope = scope_.get(); scope; scope = scope->parent.get()) {
        runtime_.meter.elements(scope->variables.size());
        for (const auto& [known, value] : scope->variables)
            if (known == id)
                return &value;
    }
    return nullptr;
}

void Evaluator::emit(const Value& value) {
    if (const Text* text = value.asText())
        out_->append(*text);
    else
        out_->append(toText(runtime_.meter, value));
}

}  // namespace spd::jinja
