// Presents a dns-01 challenge through one of lego's DNS providers and takes it away again, as its command would.
package main

import (
	"fmt"
	"os"

	"github.com/go-acme/lego/v4/challenge"
	"github.com/go-acme/lego/v4/challenge/dns01"
	"github.com/go-acme/lego/v4/providers/dns/cloudflare"
	"github.com/go-acme/lego/v4/providers/dns/hetzner"
	"github.com/go-acme/lego/v4/providers/dns/porkbun"
)

func provider(name string) (challenge.Provider, error) {
	switch name {
	case "cloudflare":
		return cloudflare.NewDNSProvider()
	case "hetzner":
		return hetzner.NewDNSProvider()
	case "porkbun":
		return porkbun.NewDNSProvider()
	}
	return nil, fmt.Errorf("no provider %q", name)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Arguments: provider, resolver (host:port), domain, key authorization. Between the two halves it waits for its input to end.
func main() {
	fail(dns01.AddRecursiveNameservers([]string{os.Args[2]})(nil))
	one, err := provider(os.Args[1])
	fail(err)
	fail(one.Present(os.Args[3], "token", os.Args[4]))
	fmt.Println("presented")
	buffer := make([]byte, 1)
	for {
		if _, err := os.Stdin.Read(buffer); err != nil {
			break
		}
	}
	fail(one.CleanUp(os.Args[3], "token", os.Args[4]))
}
