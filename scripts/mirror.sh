#!/usr/bin/env bash
# Prints the mirror this machine has for Debian; nothing elsewhere, where mmdebstrap knows one.
set -euo pipefail

# shellcheck disable=SC2016
apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' |
    awk '$1 == "Debian" && $2 == "main" && $3 !~ /security/ && !found { print $3; found = 1 }'
