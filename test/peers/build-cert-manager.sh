#!/bin/sh
# build-cert-manager.sh DIRECTORY: builds cert-manager's own controllers into DIRECTORY/cert-manager.
# The module of its command is not published, so a small one of ours starts the controllers of the library as it does.
# Takes some minutes of a core, once: the result is kept.
set -eu
version=1.20.3
directory=$1
mkdir -p "$directory/cert-manager-module"
cd "$directory/cert-manager-module"

cat > main.go <<'GO'
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"sync"
	"syscall"
	"time"

	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"

	"github.com/cert-manager/cert-manager/pkg/controller"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig:         *kubeconfig,
		KubernetesAPIQPS:   200,
		KubernetesAPIBurst: 500,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: "cert-manager"},
		ACMEOptions:        controller.ACMEOptions{HTTP01SolverImage: "none", DNS01CheckRetryPeriod: 10 * time.Second},
		CertificateOptions: controller.CertificateOptions{CertificateRequestMinimumBackoffDuration: time.Hour},
		SchedulerOptions:   controller.SchedulerOptions{MaxConcurrentChallenges: 60},
	})
	if err != nil {
		log.Fatal(err)
	}
	base, err := factory.Build()
	if err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	for name, construct := range controller.Known() {
		one, err := construct(factory)
		if err != nil {
			log.Fatal(name, ": ", err)
		}
		running.Add(1)
		go func() {
			defer running.Done()
			if err := one.Run(5, ctx); err != nil {
				log.Fatal(name, ": ", err)
			}
		}()
	}
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	log.Print("controllers started")
	running.Wait()
}
GO

cat > go.mod <<MOD
module cert-manager-for-tests
go 1.25.0
require github.com/cert-manager/cert-manager v$version
MOD

go mod tidy
GOFLAGS="-p=${KUBE_BUILD_JOBS:-1} -trimpath" CGO_ENABLED=0 nice -n 19 go build -ldflags "-s -w" -o ../cert-manager.new .
mv ../cert-manager.new ../cert-manager
