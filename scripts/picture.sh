#!/usr/bin/env bash
# Draws what a command printed as a picture of a terminal: … | scripts/picture.sh TITLE >x.svg
# docs/top.svg is made so, by: RUN_PICTURE=docs/top.svg scripts/run.sh </dev/null
set -euo pipefail

title=$* awk '
function escaped(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text)
    return text
}
{
    line[NR] = $0
    if (length($0) > columns) columns = length($0)
}
END {
    wide = columns * 8.4 + 40; high = NR * 19 + 62
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", wide, high, wide, high
    print "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1d2128\"/>"
    print "<g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#d8dee9\">"
    printf "<text x=\"20\" y=\"27\" fill=\"#88c0d0\">%s</text>\n", escaped("$ " ENVIRON["title"])
    for (n = 1; n <= NR; n++)
        printf "<text x=\"20\" y=\"%d\" xml:space=\"preserve\">%s</text>\n", n * 19 + 38, escaped(line[n])
    print "</g>\n</svg>"
}'
