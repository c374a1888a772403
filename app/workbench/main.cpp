#include <QApplication>
#include <QCommandLineParser>

#include "app/workbench/main_window.h"
#include "app/workbench/settings.h"
#include "app/workbench/workbench.h"
#include "views/shared/theme.h"

namespace {

spd::ThemeChoice chosenTheme(const spd::Settings& settings) {
    const QString name = settings.value(spd::Settings::kTheme).toString();
    return name == QStringLiteral("light")  ? spd::ThemeChoice::light
           : name == QStringLiteral("dark") ? spd::ThemeChoice::dark
                                            : spd::ThemeChoice::system;
}

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("spd-workbench"));
    QApplication::setApplicationDisplayName(QStringLiteral("SPD Workbench"));
    QApplication::setApplicationVersion(QStringLiteral(SPD_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("spd-workbench"));
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("The window of SPD Workbench"));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption engine(
        QStringLiteral("engine"),
        QStringLiteral("Command that leads to the engine; default: spd-attach beside this program."),
        QStringLiteral("COMMAND"));
    const QCommandLineOption page(QStringLiteral("page"),
                                  QStringLiteral("Page to show first, as model or runs."),
                                  QStringLiteral("PAGE"));
    parser.addOptions({engine, page});
    parser.process(application);

    spd::Settings settings;
    spd::Theme theme(application);
    theme.choose(chosenTheme(settings));
    spd::Workbench workbench(settings);
    if (parser.isSet(page))
        settings.set(spd::Settings::kPage, parser.value(page));
    spd::MainWindow window(workbench, theme);
    window.show();
    if (parser.isSet(engine))
        workbench.connectTo(parser.value(engine));
    else
        workbench.start();
    return QApplication::exec();
}
