#!/bin/sh
# build-kube-apiserver.sh DIRECTORY: builds kube-apiserver from its Go module into DIRECTORY/kube-apiserver.
# Kubernetes' own go.mod replaces its staging modules by paths inside its repository, which a module download lacks, so a
# small module of ours names the published ones instead. Takes some minutes of a core, once: the result is kept.
set -eu
version=1.34.4
directory=$1
mkdir -p "$directory/module"
cd "$directory/module"

cat > main.go <<'GO'
package main

import (
	"os"
	_ "time/tzdata"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
GO

{
  echo "module kube-apiserver-for-tests"
  echo "go 1.24.0"
  echo "require k8s.io/kubernetes v$version"
  echo "replace ("
  for module in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider \
    cluster-bootstrap code-generator component-base component-helpers controller-manager cri-api cri-client \
    csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator \
    kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission \
    sample-apiserver sample-cli-plugin sample-controller; do
    echo "  k8s.io/$module => k8s.io/$module v0.${version#1.}"
  done
  echo ")"
} > go.mod

go mod tidy
GOFLAGS="-p=${KUBE_BUILD_JOBS:-1} -trimpath" CGO_ENABLED=0 nice -n 19 \
  go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$version" -o ../kube-apiserver.new .
mv ../kube-apiserver.new ../kube-apiserver
