# The program in an image that holds nothing else: no shell, no package manager, no root.
#   docker build -t convenor .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --bin convenor \
 && deploy/container/rootfs target/dist/convenor /image

FROM scratch
COPY --from=build /image /
USER 65532:65532
WORKDIR /var/lib/convenor
ENV CONVENOR_SERVER__LISTEN=0.0.0.0:8080 \
    CONVENOR_DATABASE__URL=sqlite:///var/lib/convenor/convenor.db \
    CONVENOR_LOG__FORMAT=json
VOLUME /var/lib/convenor
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["/usr/bin/convenor", "health"]
ENTRYPOINT ["/usr/bin/convenor"]
CMD ["serve", "--config", "/etc/convenor/convenor.toml"]
