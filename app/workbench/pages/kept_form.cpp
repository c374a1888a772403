#include <QVariantMap>

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"

namespace spd {

namespace {

const QString kValues = QStringLiteral("values");

}  // namespace

nlohmann::ordered_json keptForm(Workbench& workbench, const char* page) {
    const QString text = workbench.settings().form(QString::fromLatin1(page)).value(kValues).toString();
    const auto values =
        nlohmann::ordered_json::parse(text.toStdString(), nullptr, /*allow_exceptions=*/false);
    return values.is_object() ? values : nlohmann::ordered_json();
}

void keepForm(Workbench& workbench, const char* page, const nlohmann::ordered_json& values) {
    workbench.settings().setForm(QString::fromLatin1(page),
                                 {{kValues, QString::fromStdString(values.dump())}});
}

}  // namespace spd
