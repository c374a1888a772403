#pragma once

#include <QUndoCommand>
#include <functional>
#include <vector>

#include "views/calibration/spans/span_edit.h"

namespace spd {

/// What a researcher decides about an example.
struct ExampleChoice {
    SpanChoice span;
    bool picked = true;  ///< calibrated on

    bool operator==(const ExampleChoice&) const = default;
};

/// One step of undo over any number of examples.
class ExampleCommand : public QUndoCommand {
public:
    struct Change {
        int row = 0;
        ExampleChoice before;
        ExampleChoice after;
    };
    using Apply = std::function<void(const std::vector<Change>& changes, bool after)>;

    ExampleCommand(std::vector<Change> changes, const QString& text, Apply apply)
        : QUndoCommand(text), changes_(std::move(changes)), apply_(std::move(apply)) {}
    void undo() override { apply_(changes_, false); }
    void redo() override { apply_(changes_, true); }

private:
    std::vector<Change> changes_;
    Apply apply_;
};

}  // namespace spd
