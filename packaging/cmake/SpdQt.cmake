# What the window links: Qt 6 Widgets and Svg, QCustomPlot built against Qt 6. Call spd_qt_target(<target>) once per target.
find_package(Qt6 6.4 REQUIRED COMPONENTS Widgets Svg DBus PrintSupport)
find_package(QCustomPlotQt6 QUIET)
if(NOT TARGET QCustomPlotQt6::QCustomPlotQt6)
    message(FATAL_ERROR "QCustomPlot for Qt 6 is not there: install libqcustomplot-dev, or configure with -DSPD_BUILD_WINDOW=OFF")
endif()

# Q_SIGNALS, Q_SLOTS and Q_EMIT instead of the bare words: LibTorch and others have members of those names.
function(spd_qt_target target)
    set_target_properties(${target} PROPERTIES AUTOMOC ON AUTORCC ON)
    # CMake 3.25 with Ninja does not look at a new source for Q_OBJECT: let it look after each configuration.
    file(REMOVE ${CMAKE_CURRENT_BINARY_DIR}/${target}_autogen/timestamp)
    target_compile_definitions(${target} PRIVATE QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_URL_CAST_FROM_STRING
                                                 QT_NO_NARROWING_CONVERSIONS_IN_CONNECT)
    spd_compile_options(${target})
    # GCC 12 sees overlapping copies in "text" + std::string where there are none (its bug 105329).
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endfunction()
