#pragma once

#include <QAbstractTableModel>

#include "views/calibration/examples/example_set.h"

namespace spd {

/// Calibration examples, a row each; a tick in the first column picks it. Search text holds id, prompt,
/// completion and the words #nospan, #edited, #left-out.
class ExamplesModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { id, prompt, span, targets, tokens, loss, gradient, columns };

    using QAbstractTableModel::QAbstractTableModel;

    void setExamples(std::vector<Example> examples);
    void append(std::vector<Example> examples);
    const std::vector<Example>& examples() const { return examples_; }
    const Example& at(int row) const { return examples_[static_cast<size_t>(row)]; }
    void setChoices(const std::vector<ExampleCommand::Change>& changes, bool after);
    /// @param id  as the row has it. What a run says of an example that is not shown is dropped.
    void setMeasured(const nlohmann::ordered_json& id, double loss, double gradient_norm);
    void clearMeasured();

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void pickWanted(int row, bool picked);

private:
    QString text(const Example& example, int column) const;
    QVariant number(const Example& example, int column) const;
    void indexRow(size_t row);

    std::vector<Example> examples_;
    std::vector<QString> searched_;  // [examples], case-folded
    QString first_prompt_;
    qsizetype same_ = 0;               // characters that all prompts begin with: not shown
    std::map<std::string, int> rows_;  // by id as JSON
};

}  // namespace spd
