# Copyright The carbon_exporter Authors
# SPDX-License-Identifier: Apache-2.0

# An image of the two programs and nothing else: no shell, no user, 60 MB. `make image` makes the
# same without Docker.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY . .
# No C is in it; the time zones are compiled in, as the image has none.
RUN make build && mkdir -p /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/carbon_exporter /src/bin/carbontool /bin/
COPY --from=build --chown=65534:65534 /data /data
COPY LICENSE NOTICE /licenses/
USER 65534:65534
VOLUME /data
EXPOSE 9977
ENTRYPOINT ["/bin/carbon_exporter"]
CMD ["--config.file=/etc/carbon_exporter/carbon.yml", "--storage.path=/data/carbon.db"]
