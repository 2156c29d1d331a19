// A test with the local endpoint in a container, built by `make container`, with
// Testcontainers for Go. Pass the address to the vendor's SDK or to your own code.

package osslive_test

import (
	"context"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

func TestAFailingStatus(t *testing.T) {
	ctx := context.Background()
	container, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image:        "osslive",
			ExposedPorts: []string{"9000/tcp"},
			Env: map[string]string{
				"OSSLIVE_LOCAL_ACCESS_KEY_SECRET": "a-secret-of-these-tests",
				"OSSLIVE_LOCAL_CONTROL":           "true",
			},
			WaitingFor: wait.ForHTTP("/_osslive/health").WithPort("9000/tcp"),
		},
		Started: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = container.Terminate(ctx) }()
	endpoint, err := container.PortEndpoint(ctx, "9000/tcp", "http")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(endpoint)

	// Add faults inside the container: control is not available from outside.
	command := []string{"/osslive", "control", "fault", "add", "GetLiveChannelStat", "--status", "503"}
	if _, _, err := container.Exec(ctx, command); err != nil {
		t.Fatal(err)
	}
}
